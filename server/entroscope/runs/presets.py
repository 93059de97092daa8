"""Runs and sweeps that are ready to be started: those that workers bring and those of the theory.

A preset is one thing: a spec, or a spec and what varies. Those of the theory are sweeps over exact
mixtures, one file each in theory/, and take a minute at most on one core.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from entroscope.broker.presence import Presence
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.presets import RunPreset
from entroscope.runs.estimate import cost_seconds

FOLDER = Path(__file__).parent / "theory"
Document = dict[str, Any]


@cache
def theory_presets() -> tuple[RunPreset, ...]:
    """Return the presets of the theory, in their order; they come after those of the papers."""
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")]
    presets = [RunPreset.model_validate_json(text) for text in texts]
    return tuple(sorted(presets, key=lambda preset: preset.order))


def offered_presets(presence: Presence, rates: Mapping[str, float]) -> list[Document]:
    """Return every preset as the API lists it, with the models of workers alive that fit.

    Args:
        rates: evaluations a second of each model that a worker alive has.
    """
    live = [info for info, available in presence.models().values() if available]
    presets = [*presence.presets(), *theory_presets()]
    return [_offered(preset, live, rates) for preset in sorted(presets, key=lambda p: p.order)]


def sweep_bodies() -> list[Document]:
    """Return the presets of the theory as version 0.1 listed them: with the body of a sweep."""
    return [
        {
            "name": preset.name,
            "title": preset.title,
            "explanation": preset.description,
            "axis": preset.axis,
            "sweep": {
                "schema": 1,
                "title": preset.title,
                "spec": preset.spec,
                "vary": list(preset.vary or ()),
            },
        }
        for preset in theory_presets()
    ]


def _offered(preset: RunPreset, live: Sequence[ModelInfo], rates: Mapping[str, float]) -> Document:
    fitting = sorted(info.name for info in live if preset.fits(info))
    models = sorted(fitting, key=lambda name: name != preset.model)
    fitted, seconds = preset, None
    if models:
        fitted = preset.on(models[0])
        seconds = cost_seconds(preset.evaluations * preset.pair_cost, models[0], rates)
    document = fitted.model_dump(mode="json")
    return {**document, "available": bool(models), "models": models, "seconds": seconds}
