"""The suggested guidance interval: snapped to steps, and a spec that runs."""

from typing import Any

import numpy as np
import pytest

from entroscope.client.result import MeasuredRun
from entroscope.measurement.curves.guidance_interval import suggested_interval
from entroscope.protocol.errors import SpecError
from entroscope_workers import measure

SIGMAS = np.geomspace(100, 0.1, 31)


def window(low: float, high: float) -> dict[str, Any]:
    return {"curve": "classes", "share": 0.8, "sigma_low": low, "sigma_high": high}


@pytest.mark.parametrize(("low", "high"), [(0.5, 5), (0.1, 100), (2.0, 2.1), (0.01, 0.02)])
def test_guided_steps_cover_the_window_to_the_nearest_level(low: float, high: float) -> None:
    found = suggested_interval(SIGMAS, window(low, high))
    assert found is not None
    lowest, highest = found["interval"]
    guided = np.flatnonzero((SIGMAS > lowest) & (SIGMAS <= highest))
    assert [guided[0], guided[-1]] == found["steps"]
    covered = SIGMAS[guided[0]], SIGMAS[guided[-1] + 1]
    step = np.log(SIGMAS[0] / SIGMAS[1])
    for end, wanted in zip(covered, (high, low), strict=True):
        inside = float(np.clip(wanted, SIGMAS[-1], SIGMAS[0]))
        assert (
            abs(np.log(end / inside)) < 1.1 * step
        )  # half a step, but for one that would be empty


def test_levels_that_differ_in_their_last_bit_are_guided_alike() -> None:
    found = suggested_interval(SIGMAS, window(0.5, 5))
    assert found is not None
    low, high = found["interval"]
    for other in (np.nextafter(SIGMAS, 0), np.nextafter(SIGMAS, 1e9)):
        np.testing.assert_array_equal(
            (other > low) & (other <= high), (SIGMAS > low) & (SIGMAS <= high)
        )


def test_where_nothing_is_decided_nothing_is_suggested() -> None:
    assert suggested_interval(SIGMAS, window(np.nan, np.nan)) is None


def test_the_guided_spec_of_a_result_runs_with_the_same_seed_and_grid() -> None:
    spec = {"trajectories": 64, "previews": None, "schedule": {"steps": 32}, "seed": 5}
    plain = measure("gaussian-mixture", spec)
    wanted = MeasuredRun(plain).guided_spec(scale=3.0)
    assert wanted["guidance"]["interval"] == plain["studies"]["suggested_interval"]["interval"]
    guided = measure("gaussian-mixture", wanted)
    assert guided["sigma"] == plain["sigma"]
    above = guided["studies"].get("suggested_interval")
    assert above is None  # of a guided run the window is not the model's
    with pytest.raises(SpecError, match="suggests none"):
        MeasuredRun(guided).guided_spec()
