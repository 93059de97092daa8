"""Where the decision is made: the peak of production and the central share of the information."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.estimation.estimates import Estimate
from entroscope.measurement.curves.estimation.integral import refined
from entroscope.measurement.curves.moments import Moments, merged
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import PRODUCTION

Array = NDArray[np.float64]

#: Share of the information that the window holds, the same on either side left out.
SHARE = 0.8

#: Student's 97.5 % quantile for 15 degrees of freedom over the normal one.
STUDENT = 2.131 / 1.960

NAMES = ("sigma_peak", "sigma_low", "sigma_high")


def window(key: str, sigmas: Array, batches: Sequence[Moments]) -> dict[str, Any]:
    """Return peak and central interval of one curve, each with a jackknife error over batches.

    Args:
        sigmas: (steps,), decreasing.
        batches: the curve's moments of each batch.
    """
    whole = merged(batches).mean(PRODUCTION.name)
    measured = _measure(sigmas, whole)
    errors = _jackknife(batches, lambda mean: _measure(sigmas, mean), measured)
    document: dict[str, Any] = {"curve": key, "share": SHARE}
    for name, value, error in zip(NAMES, measured, errors, strict=True):
        document |= {name: float(value), f"{name}_error": float(error)}
    return document


def window_of_samples(key: str, plan: Plan, best: Estimate, samples: Array) -> dict[str, Any]:
    """Return the same of a best estimate of production, between the noise levels too.

    The error is the spread over bootstrap samples of blocks of trajectories, with Student's factor
    for so few blocks, and what the steps may have moved: the window of the estimate less what they
    may have left in it.

    Args:
        samples: (samples, steps), production of each.
    """
    rest = np.zeros_like(best.mean) if best.rest is None else best.rest
    curves = np.concatenate([[best.mean, best.mean - rest], samples])
    times, dense = refined(plan.sigmas, curves, plan.edges)
    measured, moved, *each = np.log([_measure(np.exp(-times), one) for one in dense])
    error = np.sqrt(STUDENT**2 * np.nanvar(each, 0) + np.square(moved - measured))
    document: dict[str, Any] = {"curve": key, "share": SHARE}
    for name, value, part in zip(NAMES, np.exp(measured), error, strict=True):
        document |= {name: float(value), f"{name}_error": float(value * part)}
    return document


def window_alone(key: str, sigmas: Array, production: Array) -> dict[str, Any]:
    """Return the same from the production alone; the errors are not known."""
    document: dict[str, Any] = {"curve": key, "share": SHARE}
    for name, value in zip(NAMES, _measure(sigmas, production), strict=True):
        document |= {name: float(value), f"{name}_error": np.nan}
    return document


def _measure(sigmas: Array, production: Array) -> Array:
    logs = np.log(sigmas)
    area = 0.5 * (production[1:] + production[:-1]) * -np.diff(logs)
    running = np.concatenate([[0.0], np.cumsum(area)])
    if not running[-1] > 0:
        return np.full(3, np.nan)
    edge = (1 - SHARE) / 2
    high, low = np.interp([edge, 1 - edge], running / running[-1], logs)
    return np.asarray(np.exp([_peak(logs, production), low, high]))


def _peak(logs: Array, production: Array) -> float:
    """Return the place of the highest point, refined by the parabola through its neighbours."""
    top = int(np.argmax(production))
    if top in (0, len(logs) - 1):
        return float(logs[top])
    curve = np.polynomial.Polynomial.fit(logs[top - 1 : top + 2], production[top - 1 : top + 2], 2)
    roots = curve.deriv().roots()
    return float(np.clip(roots[0].real, logs[top + 1], logs[top - 1]) if len(roots) else logs[top])


def _jackknife(batches: Sequence[Moments], f: Callable[[Array], Array], whole: Array) -> Array:
    """Return the delete-one-batch error of f(mean), for batches of unequal size.

    Busing, Meijer and van der Leeden (1999), eq. 5: with h_j = n / n_j,
    var = mean_j (pseudo_j - theta_J)^2 / (h_j - 1), pseudo_j = h_j theta - (h_j - 1) theta_{-j}.
    """
    sizes = np.array([batch.count for batch in batches], dtype=np.float64)
    if len(batches) < 2 or (sizes == 0).any():
        return np.full(len(whole), np.nan)
    everything, row = merged(batches), PRODUCTION.row
    left_out = []
    for batch in batches:
        total = everything.total[row] - batch.total[row]
        left_out.append(f(total / (everything.count - batch.count)))
    h = (sizes.sum() / sizes)[:, None]
    pseudo = h * whole - (h - 1) * np.array(left_out)
    centre = len(batches) * whole - ((1 - 1 / h) * np.array(left_out)).sum(0)
    return np.asarray(np.sqrt(np.mean((pseudo - centre) ** 2 / (h - 1), axis=0)))
