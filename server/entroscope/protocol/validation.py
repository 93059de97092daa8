"""From what pydantic finds wrong with a document to fields of it, as its sender knows them."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from entroscope.protocol.errors import InvalidDocument, SpecError

Document = TypeVar("Document", bound=BaseModel)


def read_document(kind: type[Document], document: Any) -> Document:
    """Return what a document says, checked.

    Raises:
        InvalidDocument: what is wrong with which field.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise InvalidDocument(spec_errors(error, document)) from None


def spec_errors(error: ValidationError, document: Any) -> list[SpecError]:
    """Return what pydantic found, with paths as they are in the document.

    A union reports the errors of each branch: those deepest in the document are about the branch
    that was meant, and equal places are said once.
    """
    found: dict[tuple[str | int, ...], list[dict[str, Any]]] = {}
    for item in error.errors(include_url=False, include_context=False):
        path = _path(item["loc"], document, absent=item["type"] == "missing")
        found.setdefault(path, []).append(dict(item))
    meant = [path for path in found if not any(_is_inside(other, path) for other in found)]
    return [_spec_error(path, found[path]) for path in meant]


def _path(loc: tuple[str | int, ...], document: Any, *, absent: bool) -> tuple[str | int, ...]:
    """Return a location without the names of union branches, which are in no document.

    Args:
        absent: its last part is not in the document either, and that is the error.
    """
    path: list[str | int] = []
    for index, part in enumerate(loc):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        elif not (absent and index == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _is_inside(path: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _spec_error(path: tuple[str | int, ...], items: list[dict[str, Any]]) -> SpecError:
    missing = items[0]["type"] == "missing"
    messages = (item["msg"].removeprefix("Value error, ") for item in items)
    field = ".".join(str(part) for part in path) or "document"
    value = None if missing else items[0]["input"]
    return SpecError(field, value, " or ".join(dict.fromkeys(messages)))
