"""The prior of a pair chosen afterwards: Bayes' rule on what every path has kept."""

from typing import Any

import numpy as np
import pytest

from entroscope.measurement.curves.reweighting import Paths, at_pair_prior, shifted
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import Conflict, SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import CROSS_ENTROPY, ENTROPY, PRODUCTION, SHOWN
from entroscope.protocol.spec import Spec

INFO = ModelInfo(name="m", family="m", title="M", labels=("a", "b", "c"), shape=(1,))


def paths_of(p: Any, is_own: Any, squared: Any) -> Paths:
    """Return what a run keeps of paths with posterior p of the class, one level."""
    p, is_own = np.asarray(p), np.asarray(is_own)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    cross = -np.log2(np.where(is_own, p, 1 - p))
    values = {ENTROPY: entropy, CROSS_ENTROPY: cross, PRODUCTION: p * (1 - p) * squared}
    table = np.stack([values[quantity] for quantity in SHOWN])[:, None]
    return Paths(table, np.where(is_own, 0, 1), is_own)


def test_shifting_the_log_odds_is_the_posterior_of_the_other_prior() -> None:
    """Likelihoods 0.3 and 0.06 at the prior 0.5, read again at 0.2."""
    sides = [True, False]
    before = paths_of([0.3 / 0.36] * 2, sides, 7.0)
    wanted = 0.2 * 0.3 / (0.2 * 0.3 + 0.8 * 0.06)
    expected = paths_of([wanted] * 2, sides, 7.0).values
    np.testing.assert_allclose(shifted(before, np.log(0.2 / 0.8)), expected, rtol=1e-12)


def test_a_shift_and_its_opposite_give_back_every_value() -> None:
    stream = np.random.default_rng(0)
    before = paths_of(stream.uniform(0.01, 0.99, 50), stream.random(50) < 0.5, 3.0)
    there = Paths(shifted(before, 2.0), before.labels, before.is_own)
    np.testing.assert_allclose(shifted(there, -2.0), before.values, rtol=1e-9)


def test_a_path_that_is_certain_stays_certain_without_a_warning() -> None:
    # A cross-entropy of 0, or of more than any float of p tells.
    table = np.zeros((len(SHOWN), 1, 2))
    table[CROSS_ENTROPY.row, 0, 1] = 5000.0
    values = shifted(Paths(table, np.array([0, 0]), np.array([True, True])), -3.0)
    np.testing.assert_allclose(values[:, 0, 0], 0, atol=1e-200)
    assert values[CROSS_ENTROPY.row, 0, 1] == pytest.approx(5000 + 3 / np.log(2))


def plan_of(**fields: Any) -> Plan:
    return resolve(Spec.model_validate({"model": "m", **fields}), INFO)


def test_a_run_without_pairs_has_no_prior_of_the_pair() -> None:
    with pytest.raises(SpecError, match="no partition 'each-vs-rest'"):
        at_pair_prior(plan_of(), {}, [], 0.2)


def test_a_run_whose_values_were_too_many_to_keep_says_so() -> None:
    plan = plan_of(partitions={"rest": "each-vs-rest"})
    with pytest.raises(Conflict, match="too many to keep"):
        at_pair_prior(plan, {}, [{"labels": np.zeros(2, np.int32)}], 0.2)
