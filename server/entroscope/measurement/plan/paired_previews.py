"""Twin previews: the same noise moved once by each label, for the eye alone.

They are extra trajectories of the first batch that enter no curve.
"""

from collections.abc import Sequence

from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Previews, Spec

#: Labels that share a noise, at most: the first of the run's.
MOST_SHARING = 4


def fill_previews(spec: Spec, usually: bool) -> Previews | None:
    """Return a spec's previews, twins or not.

    Args:
        usually: whether they are twins where the spec does not say.
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
        paired = usually and spec.paths_from == "model"
    return spec.previews.model_copy(update={"paired": paired})


def sharing_labels(previews: Previews | None, likely: Sequence[int]) -> tuple[int, ...]:
    """Return the labels that share each noise; none where previews are not paired.

    Args:
        likely: labels of the run whose prior is above 0, in its order.
    """
    if previews is None or not previews.paired:
        return ()
    sharing = tuple(likely[: min(MOST_SHARING, previews.samples)])
    return sharing if len(sharing) > 1 else ()
