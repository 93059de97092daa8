"""A sweep in the foreground: all of its runs, one after the other, in one result file."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.measurement.plan.sweep import Sweep, default_title, sweep_plans
from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Spec
from entroscope_workers.commands.measure import measure
from entroscope_workers.library.registry import load_model
from entroscope_workers.library.with_data import all_with_data
from entroscope_workers.models.base import Model, ReadsPictures
from entroscope_workers.sampling.loaded_model import LoadedModel


class SweepFile:
    """A sweep whose runs are all known to be good.

    Attributes:
        title: its own, or one made up.
    """

    def __init__(
        self,
        document: Any,
        device: torch.device,
        max_evaluations: int,
        data: Sequence[str] = (),
        models: Sequence[str] | None = None,
    ) -> None:
        """Args: data, models: folders of labelled data, list of models, as on the command line."""
        self.sweep, self._device = Sweep.model_validate(document), device
        self._data, self._among = data, models
        self._models: dict[str, LoadedModel] = {}
        self._plans = sweep_plans(self.sweep, self._plan, max_evaluations)
        self.title = self.sweep.title or default_title(self._plans)

    def measure(self, progress: Callable[[float], None]) -> dict[str, Any]:
        """Run everything and return the document of all results, in the order of `vary`."""
        results = []
        for index, plan in enumerate(self._plans):
            share = _Share(progress, index, len(self._plans))
            results.append(measure(self._models[plan.spec.model], plan.spec, share))
        shared = self.sweep.model_dump(mode="json", include={"spec", "vary"})
        return {"schema": 1, "title": self.title, **shared, "results": results}

    def _plan(self, spec: Spec) -> Plan:
        if spec.model not in self._models:
            loaded = {spec.model: _loaded(spec.model, self._device, self._among)}
            options = [text for text in self._data if _is_for(text, loaded[spec.model])]
            self._models |= all_with_data(loaded, options)
        info = self._models[spec.model].info
        return resolve(spec, info)


class _Share:
    """Tells the progress of one of several equal parts as that of the whole."""

    def __init__(self, progress: Callable[[float], None], index: int, count: int) -> None:
        self._progress, self._index, self._count = progress, index, count

    def __call__(self, fraction: float) -> None:
        self._progress((self._index + fraction) / self._count)


def _is_for(text: str, model: Model) -> bool:
    """Return whether a --data option, MODEL=FOLDER or FOLDER, is meant for a model."""
    named = text.startswith(f"{model.info.name}=")
    return named or ("=" not in text and isinstance(model, ReadsPictures))


def _loaded(name: str, device: torch.device, among: Sequence[str] | None) -> Model:
    try:
        return load_model(name, device, among)
    except ValueError as error:
        raise SpecError("model", name, str(error).removeprefix("model: ")) from None
