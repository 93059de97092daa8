"""Twin previews: one noise moved by each of several labels, for the eye alone."""

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

from torch import Tensor

from entroscope.measurement.plan.plan import Plan
from entroscope_workers.numerics.noise import SHOWING
from entroscope_workers.sampling.chain import Chain
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.path_noise import path_noise


class TwinPreviews:
    """Extra trajectories beside the first batch, in groups that differ in their label only.

    They follow the guidance of the run. Their posterior is that among the labels that share the
    noise, and is told only where the run has no others.

    Attributes:
        evaluations: those taken so far.
    """

    def __init__(self, plan: Plan, model: LoadedModel, pool: Executor | None = None) -> None:
        """Args: model: bound to the run; pool: draws their noise ahead."""
        self._labels = plan.sharing_labels
        sharing, groups = len(self._labels), plan.shared_noises
        self._tells_posterior = sharing == len(plan.columns)
        self._names = [plan.labels[label] for label in self._labels] * groups
        trajectories = [group for group in range(groups) for _ in self._labels]
        noise = path_noise(plan, model, trajectories, pool, [(SHOWING, 0)] * len(trajectories))
        labels = list(range(sharing)) * groups
        self._steps = Chain(_among(plan, self._labels), model, noise, labels).steps()
        self.evaluations = 0

    def step(self) -> tuple[list[dict[str, Any]], Tensor]:
        """Go on to the next noise level; return the samples as a header has them, and their data.

        Returns:
            samples: [{label, posterior, pair}], those of one noise side by side; denoised:
            (samples, *data).
        """
        measured = next(self._steps)
        self.evaluations += measured.evaluations
        told: list[Any] = [None] * len(self._names)
        if self._tells_posterior and measured.posterior is not None:
            told = measured.posterior.cpu().numpy().round(4).tolist()
        return list(self._samples(told)), measured.denoised

    def _samples(self, posterior: list[Any]) -> Iterator[dict[str, Any]]:
        for index, (label, p) in enumerate(zip(self._names, posterior, strict=True)):
            yield {"label": label, "posterior": p, "pair": index // len(self._labels)}


def twin_previews(
    plan: Plan, index: int, model: LoadedModel, pool: Executor
) -> TwinPreviews | None:
    """Return the twin previews of a batch: of the first, where the run has any."""
    return TwinPreviews(plan, model, pool) if index == 0 and plan.shared_noises else None


def _among(plan: Plan, labels: tuple[int, ...]) -> Plan:
    """Return a plan of the same paths with these labels alone, all of them scored."""
    groups = [{"name": str(label), "labels": [label]} for label in labels]
    plain = {
        "partitions": {"shown": groups},
        "complement": "classes",
        "complement_paths": None,
        "pair_prior": None,
        "prune_below": 0,
        "previews": None,
        "studies": {},
    }
    return Plan(type(plan.spec).model_validate(plan.spec.document() | plain), plan.info)
