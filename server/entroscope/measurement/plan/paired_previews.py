"""Previews in pairs: the same noise moved once by each label, for the eye alone.

They are extra trajectories of the first batch that enter no curve.
"""

from typing import TYPE_CHECKING

from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Previews, Spec

if TYPE_CHECKING:
    from entroscope.measurement.plan.plan import Plan

#: Labels that share a noise, at most: the first of the run's.
MOST_SHARING = 4


def fill_previews(spec: Spec, info: ModelInfo) -> Previews | None:
    """Return a spec's previews, paired or not: paired where the labels are prompts.

    Raises:
        SpecError: paired previews are asked for along paths of data.
    """
    if spec.previews is None:
        return None
    paired = spec.previews.paired
    if paired and spec.paths_from == "data":
        reason = "needs paths of the model: along paths of data no label moves a sample"
        raise SpecError("previews.paired", paired, reason)
    if paired is None:
        paired = info.label_kind == "prompts" and spec.paths_from == "model"
    return spec.previews.model_copy(update={"paired": paired})


def sharing_labels(plan: "Plan") -> tuple[int, ...]:
    """Return the labels of the model that share each noise; none where previews are not paired."""
    previews = plan.spec.previews
    if previews is None or not previews.paired:
        return ()
    likely = [int(label) for label, p in zip(plan.columns, plan.prior, strict=True) if p > 0]
    sharing = tuple(likely[: min(MOST_SHARING, previews.samples)])
    return sharing if len(sharing) > 1 else ()


def noises(plan: "Plan") -> int:
    """Return how many noises are shown, each once for every label that shares it."""
    labels, previews = sharing_labels(plan), plan.spec.previews
    return previews.samples // len(labels) if labels and previews is not None else 0


def preview_evaluations(plan: "Plan") -> int:
    """Return the evaluations of all paired previews: every sharing label for every sample.

    Guided, each sample takes one more, that of no label, at every noise level at most.
    """
    sharing = len(sharing_labels(plan))
    each = sharing + (plan.spec.guidance is not None)
    return noises(plan) * sharing * each * len(plan.sigmas)
