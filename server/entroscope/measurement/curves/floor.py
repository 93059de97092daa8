"""Where the curves of a complement run end: their floor (guide: Complement)."""

from typing import Any

import numpy as np

from entroscope.measurement.plan.complement import is_complement_run, saturated_entropy
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan


def floor_document(
    plan: Plan, curve: Curve, entropy: float, error: float, prior: float
) -> dict[str, Any] | None:
    """Return where a curve of a complement run ends, its floor, in bits; None for other runs.

    The unconditional branch holds the class itself, so that the log-ratio saturates at log 1/pi,
    pi the class's own prior: `saturation`; `expected` is what that leaves, were all else decided.
    Both hold for an exact mixture of the classes. A trained branch may differ, and its log-ratio
    then goes beyond: a curve below `expected` says so.

    Args:
        entropy, error: of the curve at the lowest noise level.
        prior: of the class against its complement.
    """
    if not is_complement_run(plan.spec):
        return None
    floor = {"entropy": entropy, "entropy_se": error, "saturation": None, "expected": None}
    if plan.spec.complement == "unconditional":
        share = float(plan.prior[curve.groups[0][0]])
        stays = plan.spec.complement_paths == "unconditional"
        floor |= {
            "saturation": -np.log2(share),
            "expected": saturated_entropy(prior, share, stays),
        }
    return floor
