"""Studies of whole runs: however they are cut into batches, of an image model, by command."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from entroscope.cli import main
from entroscope.measurement.curves.records import Pause, Record
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.sampling.runner import run_batch

BRANCHING = {"sigma": 5.643, "trajectories": 20, "repeats": 8}
STUDIES = {"branching": BRANCHING, "switch": {"levels": 3, "trajectories": 24}}


def studied(first: int, largest: int) -> dict[str, Any]:
    sizes = {"first": first, "largest": largest}
    spec = {"trajectories": 40, "previews": None, "batch_sizes": sizes, "studies": STUDIES}
    found: dict[str, Any] = measure("gaussian-mixture", spec)["studies"]
    return found


def test_studies_do_not_depend_on_the_batches_they_ran_in() -> None:
    many, one = studied(3, 7), studied(64, 64)
    for found in (many, one):
        for own in found["branching"]["trajectories"]:
            for each in own["classes"]:
                each["posterior"] = pytest.approx(each["posterior"], abs=1e-9)
    assert many["branching"]["trajectories"] == one["branching"]["trajectories"]
    assert many["switch"]["levels"] == one["switch"]["levels"]
    for here, there in zip(*(s["commitment"]["thresholds"] for s in (many, one)), strict=True):
        assert here["counts"] == there["counts"]
    rows = [s["commitment"]["trajectories"] for s in (many, one)]
    assert [r["final"] for r in rows[0]] == [r["final"] for r in rows[1]]


def test_a_batch_can_be_left_between_any_two_steps_of_its_studies() -> None:
    model = load(torch.device("cpu"))
    given = {"model": "gaussian-mixture", "trajectories": 32, "previews": None, "studies": STUDIES}
    plan = resolve(Spec.model_validate(given | {"companions": 0}), model.info)
    payloads = list(run_batch(plan, 0, model))
    pauses = [payload for payload in payloads if isinstance(payload, Pause)]
    branching, switch = plan.spec.studies.branching, plan.spec.studies.switch
    assert branching is not None and switch is not None and switch.sigmas is not None
    branch = plan.sigmas.tolist().index(branching.sigma)
    switches = [plan.sigmas.tolist().index(s) for s in switch.sigmas]
    assert len(pauses) == sum(63 - step for step in (branch, *switches))
    assert isinstance(payloads[-1], Record)
    assert payloads[-1].facts["evaluations"] == plan.evaluations


def test_branches_of_an_image_model_follow_its_posterior() -> None:
    spec: dict[str, Any] = {
        "trajectories": 8,
        "schedule": {"steps": 8, "sigma_max": 20, "sigma_min": 0.1, "rho": 7},
        "previews": None,
        "studies": {"switch": {"levels": 2}},
    }
    level = measure("gaussian-mixture", {**spec, "studies": {}, "trajectories": 2})["sigma"][2]
    branching = {"sigma": level, "trajectories": 6, "repeats": 14}
    result = measure(
        "fashion-mnist", {**spec, "studies": {**spec["studies"], "branching": branching}}
    )
    found = result["studies"]["branching"]
    assert found["calibration"]["ok"]
    assert found["calibration"]["degrees"] >= 1
    assert 1 < found["reachable"] < 10
    (high, low) = result["studies"]["switch"]["levels"]
    assert high["followed"] > low["followed"]


def test_the_terminal_makes_a_guided_spec_of_a_result(tmp_path: Path) -> None:
    spec, result, guided = (tmp_path / name for name in ("spec.json", "result.json", "guided.json"))
    spec.write_text(json.dumps({"model": "gaussian-mixture", "trajectories": 16}))
    assert main(["run", str(spec), "--out", str(result)]) == 0
    assert main(["guide", str(result), "--scale", "3", "--out", str(guided)]) == 0
    wanted = json.loads(guided.read_text())["guidance"]
    suggested = json.loads(result.read_text())["studies"]["suggested_interval"]
    assert (wanted["scale"], wanted["interval"]) == (3, suggested["interval"])
    assert main(["run", str(guided), "--out", str(result)]) == 0
    assert main(["guide", str(result), "--out", str(guided)]) == 2  # guided already
