"""Entroscope's workers: models, numerics and the runner. Depends on torch; the server does not."""

from entroscope_workers.measure import measure

__all__ = ["measure"]
