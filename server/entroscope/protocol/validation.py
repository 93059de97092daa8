"""From what pydantic finds wrong with a document to fields of it, as its sender knows them."""

import ast
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from entroscope.protocol.errors import InvalidDocument, SpecError

Document = TypeVar("Document", bound=BaseModel)
Path = tuple[str | int, ...]

#: What a value must be, by pydantic's name of the error; the bound comes from its context.
REASONS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "too_short": "must have at least {min_length} item(s), has {actual_length}",
    "too_long": "must have at most {max_length} item(s)",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
}
MUST_BE = "must be "


def read_document(kind: type[Document], document: Any) -> Document:
    """Return what a document says, checked.

    Raises:
        InvalidDocument: what is wrong with which field.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        schema = kind.model_json_schema()
        raise InvalidDocument(document_errors(error, document, schema)) from None


def document_errors(
    error: ValidationError, document: Any, schema: Mapping[str, Any]
) -> list[SpecError]:
    """Return what pydantic found, with paths as they are in the document.

    A union reports the errors of each branch: those deepest in the document are about the branch
    that was meant, and equal paths are said once.

    Args:
        schema: the JSON Schema of the document, for the names it may have.
    """
    items_at: dict[Path, list[dict[str, Any]]] = {}
    for item in error.errors(include_url=False):
        items_at.setdefault(_path(dict(item), document), []).append(dict(item))
    meant = [path for path in items_at if not any(_is_inside(other, path) for other in items_at)]
    return [_spec_error(path, items_at[path], schema) for path in meant]


def unknown_name(name: str, known: Sequence[str]) -> str:
    """Return what to say of a name that there is not, with the one that was meant."""
    if near := difflib.get_close_matches(name, known, 1):
        return f"is unknown (did you mean {near[0]!r}?)"
    return f"is unknown; there are {', '.join(sorted(known)) or 'none'}"


def one_of(value: Any, choices: Sequence[Any]) -> str:
    """Return what to say of a value that is none of those there are."""
    *most, last = map(repr, choices)
    listed = f"{', '.join(most)} or {last}" if most else last
    near = difflib.get_close_matches(str(value), [str(choice) for choice in choices], 1)
    return f"{MUST_BE}{listed}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _path(item: Mapping[str, Any], document: Any) -> Path:
    """Return where an error is, without the names of union branches, which are in no document."""
    loc: Path = item["loc"]
    path: list[str | int] = []
    for index, part in enumerate(loc):
        is_absent = item["type"] == "missing" and index == len(loc) - 1
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        elif not is_absent:
            continue
        path.append(part)
    if item["type"] == "union_tag_invalid":
        path.append(item["ctx"]["discriminator"].strip("'"))
    return tuple(path)


def _is_inside(path: Path, other: Path) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _spec_error(path: Path, items: list[dict[str, Any]], schema: Mapping[str, Any]) -> SpecError:
    kind, value = items[0]["type"], items[0]["input"]
    if kind == "missing":
        value = None
    elif kind == "union_tag_invalid":
        value = items[0]["ctx"]["tag"]
    reasons = list(dict.fromkeys(_reason(path, item, schema) for item in items))
    if all(reason.startswith(MUST_BE) for reason in reasons):
        reasons = [reasons[0], *(reason.removeprefix(MUST_BE) for reason in reasons[1:])]
    return SpecError(".".join(map(str, path)) or "document", value, " or ".join(reasons))


def _reason(path: Path, item: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_name(str(path[-1]), sorted(set(_names_at(path[:-1], schema))))
    if kind == "literal_error":
        return one_of(item["input"], _choices(context["expected"]))
    if kind == "union_tag_invalid":
        return one_of(context["tag"], _choices(context["expected_tags"]))
    if kind in REASONS:
        return REASONS[kind].format_map({name: _plain(v) for name, v in context.items()})
    message: str = item["msg"]
    return message.removeprefix("Value error, ")


def _plain(value: Any) -> Any:
    """Return a number without exponent, 0.00001 and not 1e-05; anything else as it is."""
    is_float = isinstance(value, float) and math.isfinite(value)
    return format(Decimal(str(value)).normalize(), "f") if is_float else value


def _choices(listed: str) -> list[Any]:
    """Return the choices that pydantic lists in words, e.g. "'a', 'b' or 'c'"."""
    parts = [part.strip() for part in listed.replace(" or ", ", ").split(",")]
    return [ast.literal_eval(part) for part in parts]


def _names_at(path: Path, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that an object of the document may have, in any branch of a union."""
    nodes = list(_branches(schema, schema))
    for part in path:
        inner = [_inside(node, part) for node in nodes]
        nodes = [branch for node in inner if node for branch in _branches(node, schema)]
    for node in nodes:
        yield from node.get("properties", {})


def _inside(node: Mapping[str, Any], part: str | int) -> Any:
    if isinstance(part, int):
        return node.get("items")
    return node.get("properties", {}).get(part) or node.get("additionalProperties")


def _branches(node: Any, root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema itself, or those of the union it is, with references followed."""
    if not isinstance(node, Mapping):
        return
    if "$ref" in node:
        yield from _branches(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    elif branches := node.get("anyOf") or node.get("oneOf"):
        for branch in branches:
            yield from _branches(branch, root)
    else:
        yield node
