"""The Python client: from a spec to arrays, a frame and a figure."""

import threading
from pathlib import Path

import numpy as np
import pytest
from live import Document, Live
from puppet import PICTURE, Puppet
from waiting import eventually

from entroscope import Client
from entroscope.client.figures import estimate
from entroscope.client.result import MeasuredRun
from entroscope.protocol.errors import Conflict, NotFound, SpecError, Unavailable
from entroscope.protocol.quantities import ENTROPY, PRODUCTION
from entroscope.protocol.spec import Spec

SPEC: Document = {
    "model": "fake",
    "trajectories": 12,
    "companions": 0,
    "schedule": {"steps": 4},
    "partitions": {"classes": None, "rest": "each-vs-rest"},
}


@pytest.fixture
def measured(client: Client, puppet: Puppet) -> MeasuredRun:
    """A result with four curves."""
    run = client.run(SPEC)
    puppet.finish(run.id)
    return run.result()


def test_a_run_is_watched_event_by_event(client: Client, puppet: Puppet) -> None:
    run = client.run(SPEC)
    events = iter(run)
    assert next(events)["type"] == "queued"
    puppet.perform(puppet.take())
    assert [next(events)["type"] for _ in range(3)] == ["started", "point", "preview"]
    puppet.finish(run.id)
    rest = list(events)
    assert rest[-1]["type"] == "done"
    assert [e["image"] for e in rest if e["type"] == "preview"][-1] == PICTURE + b"\x03"


def test_a_result_waits_for_the_end_of_the_run(client: Client, puppet: Puppet) -> None:
    run = client.run(Spec.model_validate(SPEC))
    results: list[MeasuredRun] = []
    thread = threading.Thread(target=lambda: results.append(run.result()))
    thread.start()
    puppet.finish(run.id)
    thread.join(timeout=30)
    assert results[0].document["trajectories"] == 12


def test_a_result_has_arrays(measured: MeasuredRun) -> None:
    assert list(measured.curves) == ["classes", "rest.a", "rest.b", "rest.c"]
    curve = measured.curves["classes"]
    assert measured.sigma.shape == curve.entropy.shape == curve.production_se.shape == (4,)
    assert curve.entropy.tolist() == measured.document["curves"]["classes"]["entropy"]
    assert measured.windows["rest.a"]["share"] == 0.8


def test_a_frame_is_long_with_a_row_for_each_curve_and_level(measured: MeasuredRun) -> None:
    frame = measured.frame()
    assert list(frame.columns[:4]) == ["curve", "sigma", "n", "entropy"]
    assert len(frame) == 4 * 4
    picked = frame[frame["curve"] == "rest.b"]["production"].to_numpy()
    assert np.array_equal(picked, measured.curves["rest.b"].production)


def test_a_result_is_saved_and_loaded(measured: MeasuredRun, tmp_path: Path) -> None:
    measured.save(tmp_path / "result.json")
    assert MeasuredRun.load(tmp_path / "result.json").document == measured.document


@pytest.mark.parametrize("axis", ["sigma", "ln_sigma", "log_snr", "vp_time"])
@pytest.mark.parametrize(("unit", "theme"), [("bits", "light"), ("nats", "dark")])
def test_a_figure_names_unit_and_axis(
    measured: MeasuredRun, axis: str, unit: str, theme: str
) -> None:
    figure = measured.figure(axis=axis, unit=unit, theme=theme)
    layout = figure.to_plotly_json()["layout"]
    assert unit in layout["yaxis"]["title"]["text"]
    assert f"{unit} per" in layout["yaxis2"]["title"]["text"]
    assert layout["xaxis2"]["title"]["text"]
    assert len(figure.data) == 4 * 4


def test_a_figure_shows_the_numbers(measured: MeasuredRun) -> None:
    figure = measured.figure(curves=["classes"], unit="nats", axis="log_snr")
    entropy, production = (trace for trace in figure.data if trace.mode == "lines")
    best = estimate(measured.document["curves"]["classes"], ENTROPY)[0]
    assert np.allclose(entropy.y, best * np.log(2))
    best = estimate(measured.document["curves"]["classes"], PRODUCTION)[0]
    assert np.allclose(production.y, best * np.log(2) / 2)
    assert np.allclose(production.x, -2 * np.log(measured.sigma))


def test_a_figure_shows_the_best_estimate_with_all_of_its_error(measured: MeasuredRun) -> None:
    plain = measured.document["curves"]["classes"]
    best: Document = {
        f"{name}_combined{end}": [value] * 4
        for name in ("entropy", "production")
        for end, value in (("", 0.5), ("_se", 0.1), ("_step_error", 0.02))
    }
    best["production_combined_step_error"] = [None] * 4
    result = MeasuredRun({**measured.document, "curves": {"classes": {**plain, **best}}})
    figure = result.figure(unit="nats", axis="ln_sigma")
    lines = {trace.yaxis: trace for trace in figure.data if trace.mode == "lines"}
    bands = {trace.yaxis: trace for trace in figure.data if trace.fill}
    assert lines["y"].y == pytest.approx([0.5 * np.log(2)] * 4)
    assert max(bands["y"].y) == pytest.approx((0.5 + 1.96 * 0.1 + 0.02) * np.log(2))
    assert max(bands["y2"].y) == pytest.approx((0.5 + 1.96 * 0.1) * np.log(2))
    assert "error left by steps" in figure.layout.annotations[0].text


def test_a_figure_of_an_older_result_shows_plain_means(measured: MeasuredRun) -> None:
    plain = measured.document["curves"]["classes"]
    old = {name: values for name, values in plain.items() if "combined" not in name}
    result = MeasuredRun({**measured.document, "curves": {"classes": old}})
    figure = result.figure(axis="ln_sigma")
    line, band = figure.data[1], figure.data[0]
    assert line.y == pytest.approx(np.array(old["entropy"]))
    half = 1.96 * old["entropy_se"][0] + old["entropy_step_error"][0]
    assert band.y[0] == pytest.approx(old["entropy"][0] + half)
    assert "for H + error of the steps" in figure.layout.annotations[0].text


def test_a_figure_of_no_such_curve_is_refused(measured: MeasuredRun) -> None:
    with pytest.raises(ValueError, match=r"no curve 'x'; there are classes, rest\.a"):
        measured.figure(curves=["x"])
    with pytest.raises(ValueError, match="unit must be 'bits' or 'nats', got 'hartley'"):
        measured.figure(unit="hartley")


def test_runs_models_and_workers_are_listed(client: Client, puppet: Puppet) -> None:
    made = [client.run(SPEC).id for _ in range(3)]
    assert [run["id"] for run in client.runs(limit=2)] == made[::-1]
    assert [run["id"] for run in client.runs(state="done")] == []
    assert [model["name"] for model in client.models()] == ["fake"]
    assert [worker["name"] for worker in client.workers()] == ["puppet"]


def test_a_plan_costs_nothing(client: Client) -> None:
    assert client.plan(SPEC)["cost"]["evaluations"] == 12 * 4 * 3
    assert list(client.runs()) == []


def test_runs_are_cancelled_extended_and_deleted(client: Client, puppet: Puppet) -> None:
    queued = client.run(SPEC)
    assert queued.cancel()["effect"] == "removed"
    with pytest.raises(Conflict, match="is cancelled: somebody cancelled it"):
        queued.result()
    queued.delete()
    with pytest.raises(NotFound):
        queued.document()
    done = client.run(SPEC)
    puppet.finish(done.id)
    assert client.attach(done.refine(9).id).document()["spec"]["schedule"].keys() == {"sigmas"}
    larger = done.extend(20)
    puppet.finish(larger.id)
    assert larger.result().document["trajectories"] == 20


def test_a_sweep_is_watched_and_its_results_taken(client: Client, puppet: Puppet) -> None:
    sweep = client.sweep(SPEC, [{"seed": 1}, {"schedule": {"steps": 5}}], title="two")
    for _ in range(4):
        puppet.perform(puppet.take())
    ends = [event["run"] for event in sweep if event["type"] == "done"]
    assert ends == [run.id for run in sweep.runs] == [r["id"] for r in sweep.document()["runs"]]
    assert [result.sigma.shape for result in sweep.results()] == [(4,), (5,)]
    assert sweep.document()["title"] == "two"
    assert {run["id"] for run in client.runs(parent=sweep.id)} == set(ends)
    sweep.delete()
    with pytest.raises(NotFound, match="no sweep"):
        sweep.document()


def test_a_figure_of_a_sweep_names_each_run_by_what_it_changes(
    client: Client, puppet: Puppet
) -> None:
    sweep = client.sweep(SPEC, [{"schedule": {"steps": steps}} for steps in (4, 5)])
    for _ in range(4):
        puppet.perform(puppet.take())
    figure = sweep.figure(curves=["classes"], unit="nats")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines[::2]] == ["steps = 4", "steps = 5"]
    assert [len(line.x) for line in lines] == [4, 4, 5, 5]
    assert len({line.line.color for line in lines}) == 2


def test_a_sweep_is_cancelled_as_a_whole(client: Client) -> None:
    sweep = client.sweep(Spec.model_validate(SPEC), [{"seed": 1}, {"seed": 2}])
    assert [receipt["effect"] for receipt in sweep.cancel()] == ["removed", "removed"]
    with pytest.raises(Conflict, match="cancelled"):
        sweep.results()


def test_a_figure_draws_the_exact_answer_over_the_estimate(measured: MeasuredRun) -> None:
    exact = {"sigma": [9.0, 1.0], "entropy": [1.0, 0.5], "production": [0.0, 0.25]}
    curve = {**measured.document["curves"]["classes"], "exact": exact}
    result = MeasuredRun({**measured.document, "curves": {"classes": curve}})
    assert result.exact["classes"]["entropy"].tolist() == [1.0, 0.5]
    drawn = {t.yaxis: t for t in result.figure(axis="log_snr").data if "exact" in (t.name or "")}
    assert list(drawn["y"].y) == [1.0, 0.5]
    assert list(drawn["y2"].y) == [0.0, 0.125]
    assert list(drawn["y2"].x) == pytest.approx([-2 * np.log(9), 0])


def test_a_result_tells_what_pruning_did(measured: MeasuredRun) -> None:
    assert measured.pruning == {}
    pruning = {"dropped": [0.0, 0.25], "entropy_bound": [0.0, None]}
    curve = {**measured.document["curves"]["classes"], "pruning": pruning}
    result = MeasuredRun({**measured.document, "curves": {"classes": curve}})
    assert result.pruning["classes"]["dropped"].tolist() == [0.0, 0.25]
    assert np.isnan(result.pruning["classes"]["entropy_bound"][1])


def test_an_array_that_a_curve_lacks_is_named_with_those_it_has(measured: MeasuredRun) -> None:
    with pytest.raises(AttributeError, match=r"entropy_se, .*, not 'entrophy'"):
        _ = measured.curves["classes"].entrophy


def test_an_equal_run_is_reused_when_asked_for(client: Client, puppet: Puppet) -> None:
    first = client.run(SPEC)
    puppet.finish(first.id)
    eventually(lambda: first.document()["state"] == "done")
    assert client.run(SPEC, reuse=True).id == first.id


def test_a_failed_run_raises_its_reason(client: Client, puppet: Puppet) -> None:
    run = client.run(SPEC)
    puppet.queue.fail(puppet.take(), "no memory")
    with pytest.raises(Conflict, match="is failed: no memory"):
        run.result()


def test_errors_of_the_server_are_those_of_the_protocol(client: Client) -> None:
    with pytest.raises(SpecError) as caught:
        client.run(SPEC | {"seed": -1})
    assert (caught.value.field, caught.value.value) == ("seed", -1)
    with pytest.raises(NotFound):
        client.attach("0" * 32)


def test_a_server_that_is_away_is_unavailable() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(Unavailable, match="no answer"):
        client.models()


def test_a_run_that_is_gone_ends_the_watching(client: Client, live: Live) -> None:
    run = client.run(SPEC)
    events = iter(run)
    next(events)
    live.app.state.services.redis.flushall()
    with pytest.raises(NotFound, match="no such run"):
        next(events)
