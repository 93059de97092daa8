"""The settings of a run as a list, made from the JSON Schema of the spec."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

#: What the types of JSON Schema are called.
TYPES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "object": "object",
    "null": "null",
}
#: Bounds of JSON Schema, and how each is said.
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


@dataclass(frozen=True, slots=True)
class SpecField:
    """One setting.

    Attributes:
        path: from the spec down, with dots: `schedule.steps`.
        kind: the values it takes, in words.
        default: as JSON; None where the field is required.
        unit: of the number, or "" where it has none.
        description: Markdown, on one line.
    """

    path: str
    kind: str
    default: str | None
    unit: str
    description: str

    @property
    def anchor(self) -> str:
        """The id of its paragraph in the handbook."""
        return "settings-" + self.path.replace(".", "-")


def spec_fields(schema: Schema) -> Iterator[SpecField]:
    """Yield every field of a schema, an object's own fields after the object itself."""
    yield from _fields(schema, schema.get("$defs", {}), "")


def _fields(schema: Schema, defs: Schema, prefix: str) -> Iterator[SpecField]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        inner = _inner(field, defs)
        yield SpecField(
            path=prefix + name,
            kind=_kind(field, defs),
            default=None if name in required else json.dumps(field.get("default")),
            unit=str(field.get("unit", "")),
            description=_first_paragraph(
                field.get("description") or (inner or {}).get("description")
            ),
        )
        if inner is not None:
            yield from _fields(inner, defs, f"{prefix}{name}.")


def _inner(field: Schema, defs: Schema) -> Schema | None:
    """Return the schema of the object that a field holds, or None where it holds no such object."""
    for choice in (field, *field.get("anyOf", ())):
        resolved = _resolved(choice, defs)
        if "properties" in resolved:
            return resolved
    return None


def _resolved(schema: Schema, defs: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else defs[reference.rpartition("/")[2]]


def _kind(schema: Schema, defs: Schema) -> str:
    """Return the values that a schema takes, in words."""
    if reference := schema.get("$ref"):
        return _kind(defs[reference.rpartition("/")[2]], defs)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        kinds = list(dict.fromkeys(_kind(choice, defs) for choice in choices))
        return ("; or " if any("," in kind for kind in kinds) else " or ").join(kinds)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list{_length(schema)}, each: {_kind(schema['items'], defs)}"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"object, under each name: {_kind(values, defs)}"
    return TYPES.get(str(schema.get("type")), "any value") + _range(schema)


def _range(schema: Schema) -> str:
    tighter = {"exclusiveMinimum"} if "minimum" in schema else set[str]()
    bounds = [
        f"{word} {_number(schema[name])}"
        for name, word in BOUNDS.items()
        if name in schema and name not in tighter
    ]
    return f", {' and '.join(bounds)}" if bounds else ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _length(schema: Schema) -> str:
    low, high = schema.get("minItems"), schema.get("maxItems")
    if low is None and high is None:
        return ""
    if low == high:
        return f" of {low}"
    return f" of {low or 0} to {high:,}" if high else f" of {low} or more"


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())
