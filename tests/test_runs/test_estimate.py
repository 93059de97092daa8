"""Times to the end, for runs that take turns."""

import pytest

from entroscope.broker.presence import WorkerInfo
from entroscope.protocol.models import ModelInfo
from entroscope.runs.estimate import Load, cost_seconds, observed, rates, seconds_left


def worker(name: str, **speeds: float | None) -> WorkerInfo:
    models = [
        ModelInfo(name=own, family="f", title="t", shape=(1,), pairs_per_second=speed)
        for own, speed in speeds.items()
    ]
    return WorkerInfo(name=name, host="h", pid=1, device="d", models=models, since_ms=0)


def test_workers_of_one_model_add_up() -> None:
    assert rates([worker("a", m=10.0), worker("b", m=5.0, n=1.0)]) == {"m": 15.0, "n": 1.0}


def test_what_runs_have_seen_replaces_what_was_probed() -> None:
    workers = [worker("a", m=10.0), worker("b", m=None)]
    assert observed(rates(workers), {"m": [4.0, 6.0]}, workers) == {"m": 10.0}
    assert observed({}, {"m": [4.0]}, []) == {}


def test_a_run_alone_takes_what_is_left_of_it() -> None:
    assert seconds_left([Load("r", "m", 30.0)], {"m": 10.0}) == {"r": 3.0}


def test_runs_that_take_turns_finish_as_if_simulated() -> None:
    left = {"a": 30.0, "b": 10.0, "c": 20.0}
    found = seconds_left([Load(run, "m", size) for run, size in left.items()], {"m": 1.0})
    times: dict[str, float] = {}
    clock, waiting = 0.0, dict(left)
    while waiting:
        smallest = min(waiting.values())
        clock += smallest * len(waiting)
        times |= {run: clock for run, size in waiting.items() if size == smallest}
        waiting = {run: size - smallest for run, size in waiting.items() if size > smallest}
    assert found == pytest.approx(times)


def test_runs_of_other_models_do_not_count() -> None:
    loads = [Load("a", "m", 10.0), Load("b", "n", 10.0)]
    assert seconds_left(loads, {"m": 1.0}) == {"a": 10.0}


def test_a_cost_is_unknown_without_workers() -> None:
    assert cost_seconds(10, "m", {}) is None
    assert cost_seconds(10, "m", {"m": 5.0}) == 2.0
