"""What all documents that users send have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def join_lines(schema: dict[str, Any]) -> None:
    """Put the description of every field of a JSON Schema on one line."""
    for field in schema.get("properties", {}).values():
        if "description" in field:
            field["description"] = " ".join(field["description"].split())


class Strict(BaseModel):
    """A part of what users send: immutable, no unknown fields, no silent conversion.

    The text under a field is its description in the JSON Schema, which the page's form and the
    handbook show: what it is, its unit, what it changes.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        json_schema_extra=join_lines,
    )
