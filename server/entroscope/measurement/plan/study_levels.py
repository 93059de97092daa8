"""Studies on the noise levels of a run: which steps they begin at, what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.errors import SpecError
from entroscope.protocol.studies_spec import Branching, Studies, Switch

Array = NDArray[np.float64]

#: How far a noise level may be from the run's, relatively: four digits are enough to name one.
TOLERANCE = 1e-3
BRANCHED, SWITCHED, SWITCH_LEVELS = 16, 64, 8
#: Labels that a switched copy needs: the old one and the new one.
SWITCH_LABELS = 2


@dataclass(frozen=True, slots=True)
class Mode:
    """What of the rest of a spec decides whether it can be studied."""

    trajectories: int
    guided: bool
    pruned: bool
    unconditional: bool


def resolved_studies(studies: Studies, sigmas: Array, mode: Mode) -> Studies:
    """Return the studies with everything filled in and noise levels as the run has them.

    Raises:
        SpecError: the run has no such noise level, or is one that cannot be studied so.
    """
    branching, switch = studies.branching, studies.switch
    for name, asked in (("branching", branching), ("switch", switch)):
        if asked is not None and mode.guided:
            reason = "needs a run without guidance: its paths follow the posterior of the labels"
            raise SpecError(f"studies.{name}", asked.model_dump(), reason)
    if switch is not None and mode.pruned:
        reason = "needs prune_below 0: a label that was pruned could not be switched to"
        raise SpecError("studies.switch", switch.model_dump(), reason)
    if branching is not None and branching.moved_by == "unconditional" and not mode.unconditional:
        reason = "the model has no unconditional branch to move by"
        raise SpecError("studies.branching.moved_by", branching.moved_by, reason)
    return Studies(
        branching=branching and _branching(branching, sigmas, mode.trajectories),
        switch=switch and _switch(switch, sigmas, mode.trajectories),
    )


def step_of(sigma: float, sigmas: Array, field: str) -> int:
    """Return the step of a noise level.

    Raises:
        SpecError: the run does not have it, or has nothing left to sample there.
    """
    apart = np.abs(np.log(sigmas / sigma))
    step = int(np.argmin(apart))
    if abs(sigmas[step] / sigma - 1) > TOLERANCE:
        near = " and ".join(f"{sigmas[i]:.4g}" for i in sorted(np.argsort(apart)[:2]))
        raise SpecError(
            field, sigma, f"the run has no noise level {sigma:g}; the nearest are {near}"
        )
    if step + 1 == len(sigmas):
        reason = f"{sigma:g} is the lowest noise level: nothing is left to sample"
        raise SpecError(field, sigma, reason)
    return step


def branching_step(studies: Studies, sigmas: Array) -> int | None:
    """Return the step at which resolved studies branch, if they do."""
    if studies.branching is None:
        return None
    return step_of(studies.branching.sigma, sigmas, "studies.branching.sigma")


def switch_steps(studies: Studies, sigmas: Array) -> tuple[int, ...]:
    """Return the steps at which resolved studies switch labels."""
    if studies.switch is None:
        return ()
    chosen = studies.switch.sigmas or []
    return tuple(
        step_of(sigma, sigmas, f"studies.switch.sigmas.{i}") for i, sigma in enumerate(chosen)
    )


def study_evaluations(studies: Studies, sigmas: Array, num_labels: int) -> int:
    """Return the evaluations that resolved studies take; the last noise level needs none."""
    last, evaluations = len(sigmas) - 1, 0
    if studies.branching is not None:
        copies = (studies.branching.trajectories or 0) * studies.branching.repeats
        labels = num_labels + (studies.branching.moved_by == "unconditional")
        evaluations += copies * labels * (last - (branching_step(studies, sigmas) or 0))
    if studies.switch is not None:
        rest = sum(last - step for step in switch_steps(studies, sigmas))
        evaluations += (studies.switch.trajectories or 0) * SWITCH_LABELS * rest
    return evaluations


def _branching(asked: Branching, sigmas: Array, trajectories: int) -> Branching:
    step = step_of(asked.sigma, sigmas, "studies.branching.sigma")
    n = _number("branching", asked.trajectories, BRANCHED, trajectories)
    return asked.model_copy(update={"sigma": float(sigmas[step]), "trajectories": n})


def _switch(asked: Switch, sigmas: Array, trajectories: int) -> Switch:
    steps = _chosen_steps(asked, sigmas)
    n = _number("switch", asked.trajectories, SWITCHED, trajectories)
    return Switch(sigmas=[float(sigmas[step]) for step in steps], trajectories=n)


def _chosen_steps(asked: Switch, sigmas: Array) -> Sequence[int]:
    """Return the steps, highest noise level first, each once."""
    if asked.sigmas is not None:
        field = "studies.switch.sigmas"
        return sorted({step_of(s, sigmas, f"{field}.{i}") for i, s in enumerate(asked.sigmas)})
    number = min(asked.levels or SWITCH_LEVELS, len(sigmas) - 1)
    return [round(float(step)) for step in np.linspace(0, len(sigmas) - 2, number)]


def _number(study: str, asked: int | None, usual: int, trajectories: int) -> int:
    if asked is not None and asked > trajectories:
        reason = f"the run has only {trajectories} trajectories"
        raise SpecError(f"studies.{study}.trajectories", asked, reason)
    return min(asked or usual, trajectories)
