"""Prompts as labels: a model that is told in words what to make has the labels that a run gives."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Group, Partition
from entroscope.protocol.spec import Spec

#: The papers' pair.
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
    }
    return {"type": "object", "properties": {"prompts": prompts}, "additionalProperties": False}


def prompts_of(params: dict[str, Any]) -> tuple[str, ...]:
    """Return the prompts of a run, trimmed; those of the papers where it gives none.

    Raises:
        SpecError: another parameter, or a prompt that is none.
    """
    if unknown := sorted(set(params) - {"prompts"}):
        field = f"params.{unknown[0]}"
        raise SpecError(field, params[unknown[0]], "is unknown; the only parameter is 'prompts'")
    given = params.get("prompts", DEFAULT_PROMPTS)
    return _checked(given, "params.prompts")


def fill_prompts(spec: Spec, info: ModelInfo) -> Spec:
    """Return the spec with its prompts in its params: from its partitions where params name none.

    Raises:
        SpecError: as `prompts_of`.
    """
    if info.label_kind != "prompts":
        return spec
    params = dict(spec.params)
    named = list(dict.fromkeys(_named(spec.partitions.values())))
    if "prompts" not in params and named:
        params["prompts"] = _checked(named, "partitions")
    params["prompts"] = list(prompts_of(params))
    return spec.model_copy(update={"params": params})


def _named(partitions: Iterable[Partition]) -> Iterator[str]:
    for partition in partitions:
        if isinstance(partition, list):
            for group in partition:
                yield from _named_by(group)


def _named_by(group: Group) -> Iterator[str]:
    yield from (label for label in group.labels or () if isinstance(label, str))
    for inner in group.groups or ():
        yield from _named_by(inner)


def _checked(given: Any, field: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise SpecError(field, given, "must be a list of prompts")
    prompts = tuple(_prompt(prompt, f"{field}.{i}") for i, prompt in enumerate(given))
    if not 2 <= len(prompts) <= MAX_PROMPTS:
        reason = f"must be 2 to {MAX_PROMPTS} prompts, got {len(prompts)}"
        raise SpecError(field, given, reason)
    for place, prompt in enumerate(prompts):
        if prompt in prompts[:place]:
            raise SpecError(f"{field}.{place}", prompt, f"{prompt[:60]!r} is there twice")
    return prompts


def _prompt(given: Any, field: str) -> str:
    if not isinstance(given, str):
        raise SpecError(field, given, f"must be a prompt, got {type(given).__name__}")
    prompt = given.strip()
    if not 1 <= len(prompt) <= MAX_CHARACTERS:
        reason = f"must be 1 to {MAX_CHARACTERS} characters, got {len(prompt)}"
        raise SpecError(field, given, reason)
    if any(unicodedata.category(letter) in NO_TEXT for letter in prompt):
        raise SpecError(field, given, "must be one line without control characters")
    return prompt
