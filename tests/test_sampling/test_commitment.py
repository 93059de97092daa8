"""Commitment against its definition, the closed form of a pair, and the martingale."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope.measurement.curves.commitment import COUNTS, FLIPS, LISTED, PAIRS
from entroscope.measurement.curves.study_arrays import merged_arrays
from entroscope.measurement.plan.curves import Curve
from entroscope_workers import measure
from entroscope_workers.sampling.studies.commitment import Commitment

CURVE = Curve("classes", "classes", (), "all", ("a", "b", "c"), ((0,), (1,), (2,)))
STEPS, BATCH = 7, 200


def posteriors(seed: int) -> NDArray[np.float64]:
    """Return posteriors (steps, batch, 3) that wander."""
    walk = np.random.default_rng(seed).normal(0, 1.2, (STEPS, BATCH, 3)).cumsum(0)
    return np.asarray(np.exp(walk) / np.exp(walk).sum(2, keepdims=True))


def arrays_of(table: NDArray[np.float64], first: int = 0) -> Any:
    commitment = Commitment(CURVE, torch.zeros(table.shape[1], dtype=torch.int64), len(table))
    for step, rows in enumerate(table):
        commitment.add(step, torch.from_numpy(rows))
    return commitment.arrays(first)


def committed(path: NDArray[np.float64], above: float) -> int:
    """Return the first step from which the last step's winner stays above, as the definition."""
    stays = path[:, path[-1].argmax()] > above
    return next((k for k in range(len(path)) if stays[k:].all()), len(path))


def test_commitment_is_the_level_from_which_the_winner_stays_above_the_threshold() -> None:
    table = posteriors(0)
    counts = arrays_of(table)[COUNTS]
    for row, above in zip(counts, (0.5, 0.9), strict=True):
        steps = [committed(table[:, i], above) for i in range(BATCH)]
        np.testing.assert_array_equal(row, np.bincount(steps, minlength=STEPS + 1))
    assert counts[1, -1] > 0  # some never commit


def test_winner_contender_and_flips_are_those_of_each_path() -> None:
    table = posteriors(1)
    for trajectory, final, contender, peak, flips, *_ in arrays_of(table)[LISTED]:
        path = table[:, int(trajectory)]
        others = path[1:].max(0)
        others[path[-1].argmax()] = 0
        assert (final, contender) == (path[-1].argmax(), others.argmax())
        assert peak == pytest.approx(others.max())
        assert flips == (np.diff(path[1:].argmax(1)) != 0).sum()


def test_two_batches_merge_to_what_one_batch_finds() -> None:
    table = posteriors(2)
    whole = arrays_of(table)
    parts = merged_arrays([arrays_of(table[:, :50]), arrays_of(table[:, 50:], 50)])
    for name in (COUNTS, FLIPS, LISTED):
        np.testing.assert_allclose(parts[name], whole[name])
    assert parts[PAIRS][:, 2].sum() == whole[PAIRS][:, 2].sum() == BATCH


def run(**fields: Any) -> dict[str, Any]:
    spec = {"trajectories": 1000, "previews": None, **fields}
    found: dict[str, Any] = measure("gaussian-mixture", spec)["studies"]
    return found


def test_a_pair_commits_above_one_half_at_the_last_zero_of_a_drifted_brownian_motion() -> None:
    """The log-odds of a pair at +-m are 2 m (B + m t) in t = 1 / (1 + sigma^2); with r = m sqrt(t)
    the last zero lies before t with probability Phi(r) - Phi(-r), and the last one that steps dt
    see with Phi(r) - exp(-2 m 0.5826 sqrt(dt)) Phi(-r) (Siegmund's correction of a barrier)."""
    schedule = {"steps": 256, "sigma_max": 400, "sigma_min": 0.05}
    spec = {"params": {"kind": "pair", "dimension": 16}, "schedule": schedule}
    result = measure("gaussian-mixture", {"trajectories": 1000, "previews": None, **spec})
    (half, _) = result["studies"]["commitment"]["thresholds"]
    time = 1 / (1 + np.array(result["sigma"]) ** 2)
    above = np.array([0.5 * math.erfc(-4 * t / math.sqrt(2)) for t in np.sqrt(time)])
    seen = np.exp(-2 * 4 * 0.5826 * np.sqrt(np.diff(time, append=time[-1])))
    truth = above - seen * (1 - above)
    assert np.abs(np.cumsum(half["counts"]) / 1000 - truth).max() < 0.05
    median = np.interp(0.5, truth, result["sigma"])
    assert half["sigma_median"] == pytest.approx(median, rel=0.1)


def test_the_first_class_above_a_threshold_is_overtaken_as_often_as_its_posterior_says() -> None:
    for threshold in run(schedule={"steps": 128})["commitment"]["thresholds"]:
        first = threshold["first"]
        assert abs(first["overtaken"] - first["expected"]) < 4 * first["se"]
        assert 0 < first["expected"] < 1 - threshold["above"]


def test_neighbours_are_what_a_class_nearly_became() -> None:
    pairs = run(trajectories=256)["commitment"]["pairs"]
    (most, second, *_) = pairs
    near = {frozenset(("-8", "-4")), frozenset(("6", "8"))}
    assert {frozenset((p["final"], p["contender"])) for p in (most, second)} <= near
    assert sum(pair["n"] for pair in pairs) == 256


def test_a_partition_of_groups_alone_has_no_commitment_of_classes() -> None:
    groups = [{"name": "left", "labels": [0, 1]}, {"name": "right", "labels": [2, 3]}]
    assert "commitment" not in run(trajectories=16, partitions={"sides": groups})


def test_paths_of_classes_outside_the_partition_do_not_count() -> None:
    pair = [{"name": "left", "labels": [0]}, {"name": "right", "labels": [3]}]
    found = run(trajectories=64, partitions={"pair": pair, "classes": None})["commitment"]
    assert found["curve"] == "pair"
    assert 0 < found["n"] < 64
    assert {pair["final"] for pair in found["pairs"]} == {"left", "right"}
