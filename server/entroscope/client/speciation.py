"""When the Gaussians of a measured mixture part, and how sharply, as the page shows it."""

from entroscope.client.result import MeasuredRun
from entroscope.measurement.mixtures.speciation import (
    BAND,
    PairDecision,
    Width,
    exact_width,
    measured_width,
    pair_decisions,
)

__all__ = ["BAND", "PairDecision", "Width", "band_width", "exact_width", "speciation"]


def speciation(run: MeasuredRun) -> tuple[PairDecision, ...]:
    """Return the decisions of a run's mixture, the widest first, each with `time` and `sigma`.

    There are none where the run's mixture is not one pair or a tree of pairs.
    """
    return pair_decisions(run.document["spec"])


def band_width(
    run: MeasuredRun, curve: str = "classes", low: float = BAND[0], high: float = BAND[1]
) -> Width | None:
    """Return how wide the band between two entropies of a curve is, with errors.

    Args:
        low, high: ends of the band, in bits.
    Returns:
        None where the curve does not pass both ends.
    """
    measured = run.curves[curve]
    return measured_width(run.sigma, measured.entropy, measured.entropy_se, low, high)
