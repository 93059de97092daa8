"""A pilot places the noise levels: the run is that of its levels, and better for them."""

from typing import Any

import numpy as np
import pytest

from entroscope.protocol.errors import SpecError
from entroscope_workers import measure

PAIR = {"kind": "pair", "dimension": 64}
SPEC: dict[str, Any] = {
    "params": PAIR,
    "trajectories": 64,
    "schedule": {"steps": 16, "sigma_max": 400, "sigma_min": 0.05},
    "previews": None,
    "companions": 0,
}


def test_a_run_with_a_pilot_is_the_run_of_the_levels_it_placed() -> None:
    piloted = measure("gaussian-mixture", SPEC, pilot=16)
    levels = {"schedule": {"sigmas": piloted["sigma"]}}
    assert piloted["spec"]["schedule"] == levels["schedule"]
    assert (len(piloted["sigma"]), piloted["trajectories"]) == (16, 64)
    assert piloted["curves"] == measure("gaussian-mixture", SPEC | levels)["curves"]


def test_a_pilot_puts_the_levels_where_the_decision_is() -> None:
    plain, piloted = (measure("gaussian-mixture", SPEC, pilot=pilot) for pilot in (None, 16))

    def largest_share(result: dict[str, Any]) -> float:
        """Return the largest fall of the entropy in one step."""
        return float(-np.diff(result["curves"]["classes"]["entropy_combined"]).min())

    assert largest_share(piloted) < 0.6 * largest_share(plain)


@pytest.mark.parametrize(
    ("more", "pilot", "field"),
    [({}, 1, "pilot"), ({"schedule": {"sigmas": [9, 1]}}, 16, "schedule.sigmas")],
)
def test_a_pilot_that_cannot_be_is_named(more: dict[str, Any], pilot: int, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        measure("gaussian-mixture", SPEC | more, pilot=pilot)
    assert caught.value.field == field
