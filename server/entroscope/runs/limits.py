"""How large the records of a run become: what Redis and the server that folds them must hold."""

from entroscope.measurement.curves.calibration import calibration_rows
from entroscope.measurement.curves.moments import control_sums
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError
from entroscope.protocol.quantities import QUANTITIES
from entroscope.settings import Settings


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
    return 8 * len(plan.curves) * (rows * steps + control_sums(steps, truths))
