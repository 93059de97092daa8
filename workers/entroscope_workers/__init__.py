"""Entroscope's workers: models, numerics and the runner. Depends on torch; the server does not."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entroscope_workers.commands.compare import measure_both
    from entroscope_workers.commands.measure import measure

__all__ = ["measure", "measure_both"]


def __getattr__(name: str) -> Any:
    """Import torch only for those who measure: a worker process starts in half the time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from entroscope_workers.commands import compare, measure

    return compare.measure_both if name == "measure_both" else measure.measure
