"""Prices follow the params: a pair in many dimensions is no pair on a line."""

from typing import Any

import pytest
from fakes import INFO

from entroscope.broker.presence import WorkerInfo
from entroscope.broker.rows import Row
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import State
from entroscope.runs.documents import Outlook, outline
from entroscope.streaming.projection import Projection

MIXTURE = ModelInfo(
    name="gaussian-mixture", family="gaussian-mixture", title="t", shape=(1,), pairs_per_second=1e6
)
LINE: dict[str, Any] = {}
WIDE = {"kind": "pair", "dimension": 10_000}


def cost(info: ModelInfo, params: dict[str, Any]) -> float:
    return bind_params(info, params).cost()


def test_the_model_as_it_is_offered_is_the_unit() -> None:
    assert cost(MIXTURE, {}) == 1
    assert cost(MIXTURE, {"kind": "points", "means": [[0], [1], [2], [3]]}) == 1
    assert cost(INFO, {}) == 1


def test_a_pair_costs_more_in_more_dimensions_and_less_among_more_components() -> None:
    found = [cost(MIXTURE, {"kind": "pair", "dimension": 10**n}) for n in range(5)]
    assert found == sorted(found)
    assert found[4] / found[3] == pytest.approx(10, rel=0.2)  # the coordinates are all that counts
    many = {"kind": "random", "components": 100, "dimension": 1}
    assert cost(MIXTURE, many) < cost(MIXTURE, many | {"components": 10})
    tree = {"kind": "tree", "dimension": 1000, "offsets": [4, 1]}
    assert cost(MIXTURE, tree) > cost(MIXTURE, tree | {"dimension": 64})


def row(run: str, params: dict[str, Any], trajectories: int) -> Row:
    given = {"model": MIXTURE.name, "params": params, "trajectories": trajectories}
    spec = resolve(Spec.model_validate(given), MIXTURE).spec
    none = dict.fromkeys(("started_ms", "finished_ms", "reason", "parent", "extends"))
    times: dict[str, Any] = {"created_ms": 0, **none}
    return Row(run, spec, MIXTURE, State.RUNNING, spec_hash="", cancel=False, **times)


def test_the_time_left_of_runs_that_take_turns_counts_what_their_pairs_cost() -> None:
    rows = [row("line", LINE, 1000), row("wide", WIDE, 1000)]
    line, wide = (outline(own.plan) for own in rows)
    worker = WorkerInfo(name="w", host="h", pid=1, device="d", models=[MIXTURE], since_ms=0)
    none: dict[str, Projection] = {}
    outlook = Outlook(rows, [worker], none.get, lambda own: outline(own.plan), lambda own: 0)
    assert outlook.seconds_left["line"] == pytest.approx(2 * line.work / 1e6)
    assert outlook.seconds_left["wide"] == pytest.approx((line.work + wide.work) / 1e6)
    assert wide.work / wide.evaluations > 50 * line.work / line.evaluations


def test_what_a_run_in_many_dimensions_has_seen_prices_one_on_a_line_right() -> None:
    own = row("wide", WIDE, 1000)
    seen = Projection("wide", own.plan)
    seen.speed = 6000.0
    worker = WorkerInfo(name="w", host="h", pid=1, device="d", models=[MIXTURE], since_ms=0)
    outlook = Outlook([own], [worker], {"wide": seen}.get, lambda r: outline(r.plan), lambda r: 0)
    assert outlook.rates[MIXTURE.name] == pytest.approx(6000 * cost(MIXTURE, WIDE))
