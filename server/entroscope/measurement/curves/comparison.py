"""Two runs that share their trajectories, seen together: paired differences (section 7)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.trajectories import Trajectories
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError
from entroscope.protocol.frames import finite
from entroscope.protocol.quantities import SHOWN
from entroscope.protocol.spec import Spec

Array = NDArray[np.float64]

#: Fields in which runs may differ and still follow the same noise step by step.
FREE = frozenset({"guidance", "previews", "batch_sizes", "target_se_bits", "studies"})
#: Percentiles over classes of the redistribution figure, and its middle.
LOW, MIDDLE, HIGH = 25, 50, 75


def unguided(spec: Spec) -> Spec:
    """Return the twin of a guided spec: the same trajectories without guidance.

    Raises:
        SpecError: it is not guided.
    """
    if spec.guidance is None:
        raise SpecError("guidance", None, "there is nothing to compare: the run is not guided")
    return spec.model_copy(update={"guidance": None})


def check_comparable(run: Plan, base: Plan) -> None:
    """Check that two runs share everything but their guidance.

    Raises:
        SpecError: the first field in which they differ.
    """
    of_run, of_base = ({**p.spec.document(), "params": p.bound.params} for p in (run, base))
    for field in of_run:
        if field not in FREE and of_run[field] != of_base[field]:
            path, value, wanted = _first_difference(field, of_base[field], of_run[field])
            reason = f"must be the same in both runs; the base has {value!r}, the run {wanted!r}"
            raise SpecError(path, value, reason)
    if run.info.weights_hash != base.info.weights_hash:
        reason = f"the weights of {run.info.name!r} have changed between the two runs"
        raise SpecError("model", base.info.name, reason)


def _first_difference(path: str, one: Any, other: Any) -> tuple[str, Any, Any]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *other]:
            if one.get(key) != other.get(key):
                return _first_difference(f"{path}.{key}", one.get(key), other.get(key))
    return path, one, other


def compare(plan: Plan, base_plan: Plan, run: Trajectories, base: Trajectories) -> dict[str, Any]:
    """Return what one run has more than another, trajectory by trajectory.

    Where one of them stopped early, the trajectories that both have are compared.

    Raises:
        SpecError: the runs do not share their trajectories.
    """
    check_comparable(plan, base_plan)
    count = min(run.count, base.count)
    run, base = run.first(count), base.first(count)
    document: dict[str, Any] = {
        "unit": "bits",
        "sigma": plan.sigmas,
        "guidance": {"run": _guidance(plan), "base": _guidance(base_plan)},
        "trajectories": count,
        "curves": {curve.key: _differences(curve, run, base) for curve in plan.curves},
        "redistributions": {
            name: _redistribution(title, classes)
            for name, title, classes in _by_class(plan, run, base)
        },
    }
    differences: dict[str, Any] = finite(document)
    return differences


def _guidance(plan: Plan) -> dict[str, Any] | None:
    return None if plan.spec.guidance is None else plan.spec.guidance.model_dump(mode="json")


def _differences(curve: Curve, run: Trajectories, base: Trajectories) -> dict[str, Any]:
    document: dict[str, Any] = {
        "partition": curve.partition,
        "path": list(curve.path),
        "title": curve.title,
    }
    for name in (quantity.name for quantity in SHOWN):
        apart = _differences_of(curve.key, name, run, base)
        counted = apart[:, np.isfinite(apart[0])]
        document["n"] = counted.shape[1]
        document[name], document[f"{name}_se"] = paired(counted)
    return document


def paired(apart: Array) -> tuple[Array, Array]:
    """Return mean and standard error of differences (steps, n); NaN where n does not suffice."""
    steps, n = apart.shape
    nothing = np.full(steps, np.nan)
    mean = apart.mean(1) if n else nothing
    return mean, apart.std(1, ddof=1) / np.sqrt(n) if n > 1 else nothing


def _by_class(
    plan: Plan, run: Trajectories, base: Trajectories
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield name, title and classes of every redistribution, each of two classes or more.

    The production of a class is that of its own decision in each-vs-rest, else that of the
    trajectories whose true label it is.
    """
    each: dict[str, list[dict[str, Any]]] = {}
    for curve in plan.curves:
        apart = _differences_of(curve.key, "production", run, base)
        if plan.is_against_rest(curve):
            each.setdefault(curve.partition, []).append(_class(curve.path[-1], apart))
            continue
        named = [(plan.labels[c], run.labels == i) for i, c in enumerate(plan.columns)]
        by_label = [_class(label, apart[:, counts]) for label, counts in named]
        if len(classes := [one for one in by_label if one["n"]]) > 1:
            yield curve.key, curve.title, classes
    for name, classes in each.items():
        if len(classes := [one for one in classes if one["n"]]) > 1:
            yield name, "each class against the rest", classes


def _differences_of(key: str, quantity: str, run: Trajectories, base: Trajectories) -> Array:
    """Return (steps, n) of a curve and a quantity."""
    return run.of_quantity(key, quantity) - base.of_quantity(key, quantity)


def _class(label: str, apart: Array) -> dict[str, Any]:
    counted = apart[:, np.isfinite(apart[0])]
    production, error = paired(counted)
    n = counted.shape[1]
    return {"label": label, "n": n, "production": production, "production_se": error}


def _redistribution(title: str, classes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the classes and, over them, the median and the percentiles at every noise level."""
    table = np.stack([one["production"] for one in classes])
    low, median, high = np.percentile(table, (LOW, MIDDLE, HIGH), axis=0)
    return {"title": title, "median": median, "low": low, "high": high, "classes": classes}
