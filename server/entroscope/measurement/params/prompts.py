"""Prompts as labels: a model that is told in words what to make has the labels that a run gives."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from entroscope.measurement.params.bound import Bound, announced_prior
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Group, Partition
from entroscope.protocol.validation import unknown_name

#: The two prompts of the papers.
DEFAULT_PROMPTS = ("A wooden chair", "A wooden chair in front of blue walls")
MAX_PROMPTS = 64
MAX_CHARACTERS = 1000
#: Unicode's categories of control characters, halves of characters, and line and paragraph ends.
NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})


def prompts_schema() -> dict[str, Any]:
    """Return the JSON Schema of the params of a model of prompts."""
    prompt = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
    prompts = {
        "type": "array",
        "items": prompt,
        "minItems": 2,
        "maxItems": MAX_PROMPTS,
        "uniqueItems": True,
        "default": list(DEFAULT_PROMPTS),
        "description": "The labels of the run, each a prompt of one line. Where they are left out "
        "and groups of the partitions name prompts, those are taken.",
    }
    return {"type": "object", "properties": {"prompts": prompts}, "additionalProperties": False}


def bind(info: ModelInfo, params: Mapping[str, Any], partitions: Mapping[str, Partition]) -> Bound:
    """Check prompts, which are the labels: of the params, else of the partitions, else two."""
    for name, value in params.items():
        if name != "prompts":
            raise SpecError(f"params.{name}", value, unknown_name(name, ["prompts"]))
    named = list(dict.fromkeys(_named(partitions.values())))
    if "prompts" in params:
        prompts = _checked(params["prompts"], "params.prompts")
    else:
        prompts = _checked(named, "partitions") if named else DEFAULT_PROMPTS
    return Bound(
        params={"prompts": list(prompts)},
        labels=prompts,
        prior=announced_prior(info, prompts),
        schedule=lambda: info.schedule,
        presets=info.presets,
        paired_previews=True,
    )


def _named(partitions: Iterable[Partition]) -> Iterator[str]:
    for partition in partitions:
        if isinstance(partition, list):
            for group in partition:
                yield from _named_by(group)


def _named_by(group: Group) -> Iterator[str]:
    yield from (label for label in group.labels or () if isinstance(label, str))
    for inner in group.groups or ():
        yield from _named_by(inner)


def _checked(value: Any, field: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise SpecError(field, value, "must be a list of prompts")
    prompts = tuple(_prompt(prompt, f"{field}.{i}") for i, prompt in enumerate(value))
    if not 2 <= len(prompts) <= MAX_PROMPTS:
        reason = f"must be 2 to {MAX_PROMPTS} prompts, got {len(prompts)}"
        raise SpecError(field, value, reason)
    for index, prompt in enumerate(prompts):
        if prompt in prompts[:index]:
            raise SpecError(f"{field}.{index}", prompt, f"{prompt[:60]!r} is there twice")
    return prompts


def _prompt(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise SpecError(field, value, f"must be a prompt, got {type(value).__name__}")
    prompt = value.strip()
    if not 1 <= len(prompt) <= MAX_CHARACTERS:
        reason = f"must be 1 to {MAX_CHARACTERS} characters, got {len(prompt)}"
        raise SpecError(field, value, reason)
    if any(unicodedata.category(letter) in NO_TEXT for letter in prompt):
        raise SpecError(field, value, "must be one line without control characters")
    return prompt
