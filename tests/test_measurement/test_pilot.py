"""Noise levels: given one by one, or placed where a pilot saw information being made."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from entroscope.measurement.plan.pilot import FLOOR, TAIL, placed_levels, spec_from_pilot
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec

INFO = ModelInfo(name="m", family="m", title="M", labels=("a", "b"), shape=(1,))
LEVELS = [80.0, 7.0, 3.5, 0.1]
PILOT = np.geomspace(80, 0.02, 200)


def bump(centre: float, width: float = 0.4) -> NDArray[np.float64]:
    return np.asarray(np.exp(-((np.log(PILOT / centre) / width) ** 2) / 2))


def resolved(**schedule: Any) -> Spec:
    return resolve(Spec.model_validate({"model": "m", "schedule": schedule}), INFO).spec


def test_levels_given_one_by_one_are_those_of_the_run() -> None:
    spec = resolved(sigmas=LEVELS)
    assert Plan(spec, INFO).sigmas.tolist() == LEVELS
    assert spec.document()["schedule"] == {"sigmas": LEVELS}
    assert resolve(Spec.model_validate(spec.document()), INFO).spec == spec


def test_a_schedule_by_rule_is_written_as_it_always_was() -> None:
    assert set(resolved().document()["schedule"]) == {"steps", "sigma_max", "sigma_min", "rho"}


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"sigmas": [1, 2]}, r"must fall, got 1.0 and then 2.0 at 0 and 1"),
        ({"sigmas": [2, 2]}, r"must fall"),
        ({"sigmas": [2, 0]}, r"schedule.sigmas.1"),
        ({"sigmas": [2, float("nan")]}, r"schedule.sigmas.1"),
        ({"sigmas": [2]}, r"at least 2"),
        ({"sigmas": np.geomspace(9, 1, 8193).tolist()}, r"at most 8192"),
        ({"sigmas": [2, 1], "steps": 2}, r"exclude steps"),
        ({"sigmas": [2, 1], "sigma_max": 3, "rho": 7}, r"exclude sigma_max, rho"),
    ],
)
def test_levels_that_are_off_are_named(schedule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        resolved(**schedule)


def test_levels_fall_between_the_ends_of_the_pilot_and_lie_dense_at_its_peak() -> None:
    levels = placed_levels(PILOT, bump(3.0), 40)
    assert len(levels) == 40 and (np.diff(levels) < 0).all()
    assert (levels[0], levels[-1]) == (PILOT[0], PILOT[-1])
    widths = -np.diff(np.log(levels))
    at_peak = widths[np.argmin(np.abs(levels - 3.0))]
    assert widths[0] / at_peak == pytest.approx(1 / FLOOR, rel=0.1)


def test_the_density_of_levels_is_the_square_root_of_production() -> None:
    production = np.where(np.log(PILOT) > 1, 1.0, 0.25)
    widths = -np.diff(np.log(placed_levels(PILOT, production, 400)))
    assert widths[300] / widths[20] == pytest.approx(2, rel=0.02)


def test_below_a_decision_the_density_falls_no_faster_than_a_power_of_sigma() -> None:
    levels = placed_levels(PILOT, bump(20.0), 400)
    widths = -np.diff(np.log(levels))
    below = (levels[1:] < 15) & (levels[1:] > 2)
    power, _ = np.polyfit(np.log(levels[1:][below]), -np.log(widths[below]), 1)
    assert power == pytest.approx(TAIL, rel=0.05)
    above = widths[:10].mean() / widths.min()
    assert above == pytest.approx(1 / FLOOR, rel=0.1)  # above it nothing holds the density up


def test_every_curve_gets_levels_where_it_decides() -> None:
    levels = placed_levels(PILOT, np.stack([bump(20.0), 1e-3 * bump(0.5)]), 60)
    widths = -np.diff(np.log(levels))
    sparse = widths[-1]
    for centre in (20.0, 0.5):
        dense = widths[np.argmin(np.abs(levels - centre))]
        assert dense / sparse == pytest.approx(FLOOR, rel=0.1)


def test_rubbish_in_a_pilot_still_gives_levels() -> None:
    for production in (np.zeros(200), np.full(200, np.nan), -bump(1.0)):
        levels = placed_levels(PILOT, production, 5)
        np.testing.assert_allclose(levels, np.geomspace(80, 0.02, 5))


def test_a_pilot_gives_the_same_spec_with_other_levels_and_another_seed() -> None:
    pilot = resolved(steps=200)
    result = {
        "spec": pilot.document(),
        "sigma": PILOT.tolist(),
        "curves": {"classes": {"production": bump(3.0).tolist()}},
    }
    spec = resolve(Spec.model_validate(spec_from_pilot(result, 24)), INFO).spec
    assert spec.schedule.sigmas is not None and len(spec.schedule.sigmas) == 24
    assert spec.seed != pilot.seed
    same = {"schedule": pilot.schedule, "seed": pilot.seed}
    assert spec.model_copy(update=same) == pilot
    with pytest.raises(SpecError, match="steps"):
        spec_from_pilot(result, 1)
    result["curves"] = {"classes": {"production": [None] * 200}}
    with pytest.raises(SpecError, match="nothing being decided"):
        spec_from_pilot(result, 24)


def test_studies_go_on_at_the_nearest_levels_of_the_placed_grid() -> None:
    levels = np.geomspace(80, 0.02, 32)
    studies = {
        "branching": {"sigma": float(levels[15])},
        "switch": {"sigmas": [float(levels[30]), float(levels[10]), float(levels[12])]},
    }
    asked = {"model": "m", "schedule": {"sigmas": levels.tolist()}, "studies": studies}
    pilot = resolve(Spec.model_validate(asked), INFO).spec
    production = {"classes": {"production": bump(3.0).tolist()}}
    result = {"spec": pilot.document(), "sigma": PILOT.tolist(), "curves": production}
    placed = resolve(Spec.model_validate(spec_from_pilot(result, 6)), INFO).spec
    branching, switch = placed.studies.branching, placed.studies.switch
    assert branching is not None and switch is not None
    assert switch.sigmas is not None and placed.schedule.sigmas is not None
    known = set(placed.schedule.sigmas[:-1])
    assert branching.sigma in known and known.issuperset(switch.sigmas)
    assert len(set(switch.sigmas)) == len(switch.sigmas) >= 2
