"""The noise of a batch's trajectories, drawn ahead beside the sampling."""

from collections.abc import Sequence
from concurrent.futures import Executor

from entroscope.measurement.plan.plan import Plan
from entroscope_workers.numerics.noise import TrajectoryNoise
from entroscope_workers.sampling.loaded_model import LoadedModel


def path_noise(
    plan: Plan,
    model: LoadedModel,
    trajectories: Sequence[int],
    pool: Executor | None = None,
    copies: Sequence[tuple[int, int]] | None = None,
) -> TrajectoryNoise:
    """Return the noise of some trajectories of a run, or of copies of them.

    Args:
        model: bound to the run.
        pool: draws it ahead; without one it is drawn when asked for.
        copies: as of `TrajectoryNoise`.
    """
    return TrajectoryNoise(
        plan.spec.seed,
        trajectories,
        model.info.shape,
        copies,
        draws=len(plan.sigmas),
        pool=pool,
    )
