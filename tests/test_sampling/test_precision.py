"""A twentieth of the papers' evaluations finds the curves about as well as they do."""

from typing import Any

import numpy as np
import precision
import pytest
import torch

from entroscope.measurement.mixtures.params import mixture_params, mixture_schedule
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture

SEEDS = 4
#: The mean over so few seeds of a largest error has an error of its own, of about a tenth.
SEEDS_TELL = 1.2


@pytest.mark.parametrize("name", precision.MIXTURES)
def test_a_twentieth_of_the_evaluations_has_no_larger_error_than_the_way_of_the_papers(
    name: str,
) -> None:
    family, params = GaussianMixture(torch.device("cpu")), precision.MIXTURES[name]
    ends = mixture_schedule(mixture_params(params))
    sigmas = np.geomspace(ends.sigma_max, ends.sigma_min, 40)
    truth = precision.mixture_truth(params, family.bind(params, ()).exact, sigmas)
    errors: dict[str, list[tuple[float, float]]] = {"theirs": [], "ours": []}
    for seed in range(SEEDS):
        spec: dict[str, Any] = {"params": params, "schedule": {}, "seed": 10 * seed}
        theirs = precision.papers_way(family, spec, 3000)
        budget = theirs.evaluations // precision.SHARE
        placed, prune_below = precision.PLACED, precision.PRUNE_BELOW
        ours = precision.our_way(family, spec, budget, placed, prune_below)
        assert ours.evaluations <= budget
        errors["theirs"].append(theirs.errors(truth))
        errors["ours"].append(ours.errors(truth))
    (entropy, production), (ours_h, ours_p) = (np.mean(e, axis=0) for e in errors.values())
    assert ours_h <= SEEDS_TELL * entropy
    assert ours_p <= SEEDS_TELL * production
