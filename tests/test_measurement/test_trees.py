"""Trees of groups: one curve a decision, every label once, and what is wrong is named."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from entroscope.measurement.curves.checks import group_entropy
from entroscope.measurement.mixtures.params import mixture_params
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.curves import MAX_DEPTH, curves_of
from entroscope.measurement.plan.plan import Plan, spec_hash
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.slugs import unique_slugs
from entroscope.protocol.spec import Spec

LABELS = ("shirt", "coat", "boot", "sandal", "bag", "hat")
PRIOR = (0.1, 0.1, 0.2, 0.3, 0.25, 0.05)
INFO = ModelInfo(name="m", family="m", title="M", labels=LABELS, prior=PRIOR, shape=(1,))
MIXTURE = ModelInfo(name="gm", family="gaussian-mixture", title="Mixture", shape=(1,))
Json = dict[str, Any]


def leaf(name: str, *labels: str | int) -> Json:
    return {"name": name, "labels": list(labels)}


def inner(name: str, *groups: Json) -> Json:
    return {"name": name, "groups": list(groups)}


SHOES = inner("Shoes", leaf("boot", "boot"), leaf("sandal", 3))
KINDS = [inner("things", leaf("tops", "shirt", "coat"), SHOES), leaf("bag", "bag")]


def plan(kinds: list[Json], info: ModelInfo = INFO, **fields: Any) -> Plan:
    spec = Spec.model_validate({"model": info.name, "partitions": {"kinds": kinds}, **fields})
    return resolve(spec, info)


def test_a_tree_makes_one_curve_for_every_decision_in_it() -> None:
    curves = plan(KINDS).curves
    assert [curve.key for curve in curves] == ["kinds", "kinds.things", "kinds.things.shoes"]
    assert [curve.path for curve in curves] == [(), ("things",), ("things", "Shoes")]
    assert [curve.title for curve in curves] == [
        "things / bag",
        "things: tops / Shoes",
        "things: Shoes: boot / sandal",
    ]
    assert curves[0].groups == ((0, 1, 2, 3), (4,))
    assert curves[1].groups == ((0, 1), (2, 3))


def test_leaves_belong_to_the_root_of_a_tree_and_to_no_flat_partition() -> None:
    root, *others = plan(KINDS).curves
    assert root.leaves == ((0, 1), (2,), (3,), (4,))
    flat = plan([leaf("a", 0, 1), leaf("b", 2)]).curves[0]
    assert all(curve.leaves == () for curve in (*others, flat))


def test_labels_outside_a_tree_are_not_evaluated() -> None:
    kinds = [inner("x", leaf("a", "bag"), leaf("b", "hat")), leaf("c", "coat")]
    some = plan(kinds)
    assert some.columns.tolist() == [1, 4, 5]
    assert some.curves[0].leaves == ((1,), (2,), (0,))


def test_the_prior_inside_a_group_is_the_runs_renormalised() -> None:
    some = plan(KINDS)
    bounds = {curve.key: group_entropy(some, curve) for curve in some.curves}
    p = np.array([0.2, 0.5]) / 0.7  # tops and shoes among things
    assert bounds["kinds.things"] == pytest.approx(-(p * np.log2(p)).sum())


def test_the_entropies_of_the_prior_obey_the_chain_rule() -> None:
    some = plan(KINDS)
    bounds = [group_entropy(some, curve) for curve in some.curves]
    p = np.array([0.2, 0.2, 0.3, 0.25]) / 0.95
    whole = bounds[0] + p[:3].sum() * bounds[1] + p[1:3].sum() * bounds[2]
    assert -(p * np.log2(p)).sum() == pytest.approx(whole)


def test_names_that_differ_in_their_marks_alone_have_keys_of_their_own() -> None:
    pair = leaf("l", "boot"), leaf("r", "sandal")
    other = leaf("l", "shirt"), leaf("r", "coat")
    third = leaf("l", "bag"), leaf("r", "hat")
    keys = [
        c.key for c in plan([inner("a-2", *pair), inner("a", *other), inner("A!", *third)]).curves
    ]
    assert keys[1:3] == ["kinds.a-2", "kinds.a"]
    assert len(set(keys)) == 4
    assert len(set(unique_slugs(["x", "x-1", "X", "x!", "x?", "x-3"]))) == 6


def test_a_tree_goes_over_the_wire_and_back_without_change() -> None:
    spec = Spec.model_validate({"model": "m", "partitions": {"kinds": KINDS}})
    assert spec.document()["partitions"]["kinds"] == KINDS
    assert spec_hash(Spec.model_validate(spec.document())) == spec_hash(spec)


def nested(depth: int) -> list[Json]:
    """Return a tree of so many decisions, one inside the other."""
    groups = [leaf("left", 0), leaf("right", 1)]
    for level in range(2, depth + 1):
        groups = [inner("deeper", *groups), leaf("out", level)]
    return groups


WRONG: list[tuple[list[Json], str, str]] = [
    ([inner("x", leaf("a", 0), leaf("b", 0)), leaf("c", 1)], "0.groups.1.labels", "already"),
    ([inner("x", leaf("a", 0), leaf("b", 2)), leaf("c", 2)], "1.labels", "'boot' is in 'b'"),
    ([inner("x", leaf("a", 0), leaf("b", "sock")), leaf("c", 1)], "0.groups.1.labels", "sock"),
    ([inner("x", leaf("a", 0), leaf("b", 6)), leaf("c", 1)], "0.groups.1.labels", "no label 6"),
    ([inner("x"), leaf("c", 1)], "0.groups", "2 groups or more, has 0"),
    ([inner("x", leaf("a", 0)), leaf("c", 1)], "0.groups", "2 groups or more, has 1"),
    ([inner("x", leaf("a", 0), leaf("a", 1)), leaf("c", 2)], "0.groups", "same name"),
    ([inner("x", leaf("a", 0), leaf("b", 1))], "", "2 groups or more, has 1"),
]


@pytest.mark.parametrize(("kinds", "place", "said"), WRONG)
def test_what_is_wrong_in_a_tree_is_named_with_its_place(
    kinds: list[Json], place: str, said: str
) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        plan(kinds)
    assert caught.value.field == ".".join(["partitions.kinds", *([place] if place else [])])


def test_a_tree_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    info = INFO.model_copy(update={"labels": tuple(map(str, range(20))), "prior": None})
    assert len(plan(nested(MAX_DEPTH), info).curves) == MAX_DEPTH
    with pytest.raises(SpecError, match=f"{MAX_DEPTH} deep") as caught:
        plan(nested(MAX_DEPTH + 1), info)
    assert caught.value.field == "partitions.kinds" + ".0.groups" * MAX_DEPTH


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({"name": "x"}, "neither"),
        ({"name": "x", "labels": [0], "groups": [leaf("a", 1), leaf("b", 2)]}, "both"),
        ({"name": "x", "labels": []}, "at least 1"),
    ],
)
def test_a_group_has_labels_or_groups(group: Json, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        plan([inner("y", leaf("a", 0), group), leaf("c", 1)])
    assert caught.value.errors()[0]["loc"][:2] == ("partitions", "kinds")


@pytest.mark.parametrize(
    ("params", "field", "said"),
    [
        ({"offsets": [1]}, "params.offsets", "at least 2"),
        ({"offsets": [1] * 7}, "params.offsets", "at most 6"),
        ({"offsets": [4, 0]}, "params.offsets.1", "must be > 0"),
        ({"offsets": [4, float("nan")]}, "params.offsets.1", "finite"),
        ({"offsets": [4, 2, 1], "dimension": 2}, "params", "dimension must be >= .* 3, got 2"),
        ({"dimension": 1}, "params.dimension", "must be >= 2"),
        ({"std": 0}, "params.std", "must be > 0"),
        ({"levels": 2}, "params.levels", "is unknown"),
    ],
)
def test_a_parameter_of_a_tree_mixture_that_is_off_is_named(
    params: Json, field: str, said: str
) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        bind_params(MIXTURE, {"kind": "tree", **params})
    assert caught.value.field == field


@pytest.mark.parametrize("offsets", [[4.0, 1.0], [8.0, 3.0, 1.0], [6.0, 5, 4, 3, 2, 1]])
def test_the_decisions_of_a_tree_mixture_are_orthogonal_and_as_long_as_they_say(
    offsets: list[float],
) -> None:
    params = mixture_params({"kind": "tree", "dimension": 7, "offsets": offsets})
    means, labels = params.means(), params.labels()
    steps = []
    for level, offset in enumerate(offsets):
        first = labels[0][level]
        sign = np.array([1 if label[level] == first else -1 for label in labels])
        step = sign @ means / len(labels)  # offset_l v_l: all else cancels
        assert step @ step == pytest.approx(7 * offset**2)
        steps.append(sign[:, None] * step)
    np.testing.assert_allclose(sum(steps), means, atol=1e-12)
    gram = np.array([[a[0] @ b[0] for a in steps] for b in steps])
    np.testing.assert_allclose(gram, np.diag(7 * np.square(offsets)), atol=1e-9)


def test_labels_of_a_tree_mixture_name_their_side_of_every_decision() -> None:
    assert mixture_params({"kind": "tree"}).labels() == ("A1", "A2", "B1", "B2")
    six = mixture_params({"kind": "tree", "offsets": [1] * 6}).labels()
    assert len(set(six)) == 64 and six[0] == "A1a3c5"


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_presets_of_a_tree_mixture_are_its_tree_and_its_levels(levels: int) -> None:
    bound = bind_params(MIXTURE, {"kind": "tree", "offsets": [1.0] * levels})
    assert [p.name for p in bound.presets] == ["tree", *(f"level-{k + 1}" for k in range(levels))]
    curves = {p.name: curves_of({p.name: p.partition}, bound.labels) for p in bound.presets}
    assert len(curves["tree"]) == 2**levels - 1
    assert len(curves["tree"][0].leaves) == 2**levels
    for name in list(curves)[1:]:
        (level,) = curves[name]
        assert sorted(map(len, level.groups)) == [2 ** (levels - 1)] * 2


def test_a_plan_with_params_has_the_presets_of_these_params() -> None:
    assert bind_params(MIXTURE, {}).presets == ()
    names = [p.name for p in bind_params(MIXTURE, {"kind": "tree"}).presets]
    assert names == ["tree", "level-1", "level-2"]
