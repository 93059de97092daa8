"""How large the records of a run become: what Redis and the server that folds them must hold."""

from collections.abc import Sequence

from redis import Redis

from entroscope.broker.connect import memory
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.calibration import calibration_rows
from entroscope.measurement.curves.estimation.companions import PAIRED, SAMPLE_BYTES, companion_sums
from entroscope.measurement.curves.moments import control_sums
from entroscope.measurement.curves.records import VALUES_LIMIT_BYTES
from entroscope.measurement.plan.complement import is_complement_run
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError, Unavailable
from entroscope.protocol.quantities import QUANTITIES, SHOWN
from entroscope.settings import Settings

#: Share of a Redis' maxmemory that runs may take; the rest is for queues, workers and writing.
SHARE = 0.8
#: Largest sprite sheet of a step (protocol/frames.py), and what a run takes in any case.
SHEET_BYTES, LEAST_BYTES = 2**16, 2**14


def check_records(plan: Plan, settings: Settings) -> None:
    """Refuse records that are too large, each or all together.

    Raises:
        SpecError: how large they would be.
    """
    size = record_bytes(plan)
    counted = f"{len(plan.curves)} curves x {len(plan.sigmas)} steps x {plan.num_truths} labels "
    if size > settings.max_record_bytes:
        reason = (
            f"{counted}make {size / 2**20:.0f} MiB of sums a batch; the limit is "
            f"{settings.max_record_bytes / 2**20:.0f} MiB"
        )
        raise SpecError("partitions", list(plan.spec.partitions), reason)
    if size * plan.num_batches > settings.max_run_bytes:
        reason = (
            f"{counted}make {size / 2**20:.1f} MiB of sums in each of {plan.num_batches} batches; "
            f"the limit for all is {settings.max_run_bytes / 2**20:.0f} MiB: fewer curves, or "
            "larger batches (batch_sizes.largest)"
        )
        raise SpecError("partitions", list(plan.spec.partitions), reason)


def record_bytes(plan: Plan) -> int:
    """Return the size of the sums of one batch."""
    steps, truths = len(plan.sigmas), plan.num_truths
    rows = 2 * (len(QUANTITIES) + truths) + calibration_rows(plan.spec.paths_from)
    controls = 0 if is_complement_run(plan.spec) else control_sums(steps, truths)
    sums = rows * steps + controls
    if plan.companion_share:
        sums += companion_sums(len(plan.curves), steps, truths)
    return 8 * len(plan.curves) * sums + _sample_bytes(plan)


def _sample_bytes(plan: Plan) -> int:
    """Return the size of the values of companions that a batch keeps, at most."""
    companions = -(-plan.batches[-1][1] * plan.companion_share // 1)
    values = 2 * len(PAIRED) * len(plan.sigmas) * len(plan.curves)
    return min(SAMPLE_BYTES, int(4 * companions * values))


def run_bytes(plan: Plan) -> int:
    """Return how much of Redis a run may come to take: sums twice (log), values and pictures."""
    trajectories, curves = plan.spec.trajectories, len(plan.curves)
    values = 4 * trajectories * (1 + curves * len(SHOWN) * len(plan.sigmas))
    most = plan.num_batches * (VALUES_LIMIT_BYTES + 4 * plan.batches[-1][1])
    pictures = SHEET_BYTES * len(plan.sigmas) if plan.spec.previews is not None else 0
    return 2 * record_bytes(plan) * plan.num_batches + min(values, most) + pictures + LEAST_BYTES


def check_room(plans: Sequence[Plan], redis: Redis, store: RunStore, settings: Settings) -> None:
    """Refuse new runs for which there may be no room beside those that there are.

    Raises:
        SpecError: there would be none if they were alone.
        Unavailable: there may be some when others have ended.
    """
    used, most = memory(redis)
    limit = min(settings.max_redis_bytes, int(SHARE * most) if most else settings.max_redis_bytes)
    new, there = sum(map(run_bytes, plans)), store.reserved()
    mib = f"may take {new / 2**20:.0f} MiB of Redis; all runs together may take {limit / 2**20:.0f}"
    if new > limit:
        reason = f"{mib}: fewer trajectories, steps or curves"
        raise SpecError("trajectories", plans[0].spec.trajectories, reason)
    if there + new > limit:
        raise Unavailable(f"it {mib}, of which runs that have not ended hold {there / 2**20:.0f}")
    if most and used > limit + (most - limit) / 2:
        state = "out of memory" if used >= most else "nearly out of memory"
        raise Unavailable(f"Redis is {state}; cancel or delete runs, or try again when some ended")
