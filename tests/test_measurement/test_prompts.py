"""Prompts as labels: from the params, else from the partitions, else the papers' pair."""

from typing import Any

import pytest

from entroscope.measurement.params.prompts import DEFAULT_PROMPTS, prompts_schema
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec

PAINTER = ModelInfo(
    name="painter",
    family="stable-diffusion",
    title="Painter",
    label_kind="prompts",
    shape=(4, 8, 8),
    params_schema=prompts_schema(),
)
CHAIRS = ["A red chair", "A blue chair", "A chair"]


def plan(**fields: Any) -> Plan:
    return resolve(Spec.model_validate({"model": "painter", **fields}), PAINTER)


def test_prompts_of_the_params_are_the_labels_in_their_order_trimmed() -> None:
    made = plan(params={"prompts": [f"  {CHAIRS[0]} ", *CHAIRS[1:]]})
    assert made.labels == tuple(CHAIRS)
    assert made.spec.params == {"prompts": CHAIRS}
    assert made.prior == pytest.approx([1 / 3] * 3)


def test_a_run_without_prompts_has_those_of_the_papers() -> None:
    made = plan()
    assert made.labels == DEFAULT_PROMPTS == bind_params(PAINTER, {}).labels
    assert made.spec.params["prompts"] == list(DEFAULT_PROMPTS)


def test_prompts_that_only_partitions_name_become_the_labels() -> None:
    coloured = [{"name": own, "labels": [f" {own} "]} for own in CHAIRS[:2]]
    tree = [{"name": "coloured", "groups": coloured}, {"name": "any", "labels": [CHAIRS[2]]}]
    made = plan(partitions={"colour": tree, "two": [coloured[1], tree[1]]})
    assert made.spec.params["prompts"] == CHAIRS
    assert [curve.key for curve in made.curves] == ["colour", "colour.coloured", "two"]
    assert made.curves[2].groups == ((1,), (2,))


def test_a_resolved_spec_of_prompts_resolves_to_itself() -> None:
    resolved = plan(partitions={"two": [{"name": own, "labels": [own]} for own in CHAIRS]}).spec
    assert resolve(Spec.model_validate(resolved.document()), PAINTER).spec == resolved


def test_each_prompt_against_the_rest_has_a_key_of_words() -> None:
    long = "A chair " + "of very many words " * 40
    made = plan(params={"prompts": ["A wooden chair!", long]}, partitions={"r": "each-vs-rest"})
    first, second = (curve.key for curve in made.curves)
    assert first == "r.a-wooden-chair"
    assert second.startswith("r.a-chair-of-very-many-words") and len(second) < 100


def test_a_prior_may_name_prompts() -> None:
    made = plan(params={"prompts": CHAIRS}, prior={CHAIRS[0]: 1, CHAIRS[1]: 2, CHAIRS[2]: 1})
    assert made.prior == pytest.approx([0.25, 0.5, 0.25])


def named(*prompts: str) -> dict[str, Any]:
    return {"p": [{"name": str(i), "labels": [prompt]} for i, prompt in enumerate(prompts)]}


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"params": {"prompts": "A chair"}}, "params.prompts", "list"),
        ({"params": {"prompts": []}}, "params.prompts", "2 to 64"),
        ({"params": {"prompts": ["A chair"]}}, "params.prompts", "got 1"),
        ({"params": {"prompts": [str(i) for i in range(65)]}}, "params.prompts", "got 65"),
        ({"params": {"prompts": ["A", "  "]}}, "params.prompts.1", "1 to 1000"),
        ({"params": {"prompts": ["A", "x" * 1001]}}, "params.prompts.1", "got 1001"),
        ({"params": {"prompts": ["A", "B", " A "]}}, "params.prompts.2", "twice"),
        ({"params": {"prompts": ["A", 7]}}, "params.prompts.1", "got int"),
        ({"params": {"prompts": ["A", "B\nC"]}}, "params.prompts.1", "one line"),
        ({"params": {"seeds": 1}}, "params.seeds", "unknown"),
        ({"partitions": named("A chair")}, "partitions", "got 1"),
        (
            {"params": {"prompts": CHAIRS}, "partitions": named(CHAIRS[0], "A dog")},
            "partitions.p.1.labels",
            "no label",
        ),
    ],
)
def test_what_is_no_list_of_prompts_is_refused_by_name(
    fields: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(SpecError) as refused:
        plan(**fields)
    assert refused.value.field == field and reason in refused.value.reason


def test_previews_are_paired_by_default_for_prompts_alone_and_their_price_is_told() -> None:
    quiet, paired = plan(previews=None), plan(previews={"samples": 16})
    assert paired.spec.previews is not None and paired.spec.previews.paired
    assert paired.evaluations - quiet.evaluations == 16 * 2 * len(paired.sigmas)
    unpaired = plan(previews={"samples": 16, "paired": False})
    assert unpaired.evaluations == quiet.evaluations


def test_pairs_along_paths_of_data_are_refused() -> None:
    spec = Spec.model_validate(
        {"model": "painter", "paths_from": "data", "previews": {"paired": True}}
    )
    with pytest.raises(SpecError, match=r"previews\.paired"):
        resolve(spec, PAINTER)
