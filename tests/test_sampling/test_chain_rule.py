"""The chain rule over trees: exact under the posterior, and kept by runs of every model."""

from typing import Any

import pytest
import torch

from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.library.registry import bundled_names, load_model
from entroscope_workers.models.base import Model
from entroscope_workers.numerics.entropy import posterior_entropy
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior
from entroscope_workers.sampling.chain_rule import ChainRules

CPU = torch.device("cpu")
Json = dict[str, Any]


def each(labels: list[str]) -> list[Json]:
    return [{"name": label, "labels": [label]} for label in labels]


def tree_of(labels: list[str]) -> list[Json]:
    """Return a tree over all labels: the first alone, the others halved."""
    half = len(labels) // 2 + 1
    inside = each(labels[1:half]) if half > 2 else []
    left = {"groups": inside} if inside else {"labels": labels[1:half]}
    others = [{"name": "left", **left}, {"name": "right", "labels": labels[half:]}]
    return [{"name": "first", "labels": labels[:1]}, {"name": "others", "groups": others}]


@pytest.fixture(scope="module", params=bundled_names())
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param, CPU)


def test_a_run_of_any_model_keeps_the_chain_rule(model: Model) -> None:
    labels = list(bind_params(model.info, {}).labels)
    partitions = {"classes": None, "tree": tree_of(labels)}
    spec = {"trajectories": 24, "schedule": {"steps": 12}, "partitions": partitions}
    result = measure(model, {**spec, "previews": None})
    checks = {check["name"]: check for check in result["checks"]}
    assert checks["chain_rule[tree]"]["ok"], checks["chain_rule[tree]"]
    assert [name for name in checks if name.startswith("chain_rule")] == ["chain_rule[tree]"]


def test_trajectories_count_inside_the_group_of_their_label(model: Model) -> None:
    labels = list(bind_params(model.info, {}).labels)
    spec = {"trajectories": 24, "schedule": {"steps": 4}, "partitions": {"tree": tree_of(labels)}}
    curves = measure(model, {**spec, "previews": None})["curves"]
    own = {profile["label"]: profile["n"] for profile in curves["tree"]["profiles"]}
    assert curves["tree"]["n"] == 24
    assert curves["tree.others"]["n"] == 24 - own.get(labels[0], 0)


@pytest.mark.parametrize("name", [p.name for p in load_model("fashion-mnist", CPU).info.presets])
def test_presets_of_the_garments_are_partitions_of_them(name: str) -> None:
    info = load_model("fashion-mnist", CPU).info
    partition = next(p.partition for p in info.presets if p.name == name)
    again = ModelInfo.model_validate_json(info.model_dump_json())
    assert again == info
    curves = garments_plan(info, {name: [group.model_dump() for group in partition]}).curves
    assert curves[0].key == name and len(curves) == (5 if name == "kinds" else 1)


def garments_plan(info: ModelInfo, partitions: Json) -> Plan:
    spec = Spec.model_validate({"model": info.name, "partitions": partitions})
    return resolve(spec, info)


@pytest.fixture(scope="module")
def posterior() -> tuple[Plan, torch.Tensor, torch.Tensor]:
    """A plan with a tree, random log-posteriors and the entropies of its curves."""
    info = load_model("fashion-mnist", CPU).info
    kinds = next(p.partition for p in info.presets if p.name == "kinds")
    partitions = {"rest": "each-vs-rest", "kinds": [group.model_dump() for group in kinds]}
    plan = garments_plan(info, partitions)
    logits = 3 * torch.randn(50, 10, generator=torch.Generator().manual_seed(0)).double()
    entropies = [
        posterior_entropy(group_log_posterior(logits, Grouping.of(curve.groups, CPU))[1])
        for curve in plan.curves
    ]
    return plan, logits, torch.stack(entropies)


def test_under_the_posterior_the_residual_has_mean_0_and_the_variance_it_says(
    posterior: tuple[Plan, torch.Tensor, torch.Tensor],
) -> None:
    plan, logits, entropies = posterior
    rules = ChainRules(plan.curves, CPU, labels_follow=True)
    found = torch.stack(
        [rules.residuals(logits, torch.full((50,), z), entropies) for z in range(10)]
    )  # (labels, curves, 2, rows)
    p = torch.softmax(logits, 1).T[:, None]
    residual, variance = found[:, :, 0], found[0, :, 1]
    torch.testing.assert_close(
        (p * residual).sum(0), torch.zeros_like(variance), atol=1e-12, rtol=0
    )
    torch.testing.assert_close((p * residual.square()).sum(0), variance)
    assert (residual.mean(0).abs() > 0.1).any()  # labels that ignore the posterior
    root = [curve.key for curve in plan.curves].index("kinds")
    assert (variance[root] > 0.01).any()
    assert not variance[:root].any() and not variance[root + 1 :].any()
