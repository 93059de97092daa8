"""The presets that come along: the studies of the papers, one file each."""

from pathlib import Path

from entroscope.protocol.presets import RunPreset

FOLDER = Path(__file__).parent / "presets"


def run_presets() -> tuple[RunPreset, ...]:
    """Return the presets of all files, in their order."""
    presets = [
        RunPreset.model_validate_json(path.read_text(encoding="utf-8"))
        for path in FOLDER.glob("*.json")
    ]
    return tuple(sorted(presets, key=lambda preset: preset.order))
