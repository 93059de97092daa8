"""The presets that workers have brought and those of the theory, with the models that fit them."""

from collections.abc import Mapping, Sequence
from typing import Any

from entroscope.broker.presence import Presence
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.presets import RunPreset
from entroscope.runs.estimate import cost_seconds
from entroscope.runs.sweep_presets import theory_presets


def offered_presets(presence: Presence, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return every preset as the API lists it.

    Args:
        rates: evaluations a second of each model that a worker alive has.
    """
    live = [info for info, available in presence.models().values() if available]
    presets = sorted([*presence.presets(), *theory_presets()], key=lambda own: own.order)
    return [_offered(preset, live, rates) for preset in presets]


def _offered(
    preset: RunPreset, live: Sequence[ModelInfo], rates: Mapping[str, float]
) -> dict[str, Any]:
    fitting = sorted(info.name for info in live if preset.fits(info))
    models = sorted(fitting, key=lambda name: name != preset.model)
    own = preset.on(models[0]) if models else preset
    seconds = (
        cost_seconds(preset.evaluations * preset.pair_cost, models[0], rates) if models else None
    )
    document = own.model_dump(mode="json")
    return {**document, "available": bool(models), "models": models, "seconds": seconds}
