"""Params of any other model: checked by the JSON Schema that it announces, and filled in."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from entroscope.measurement.params.bound import Bound, announced_prior
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Partition
from entroscope.protocol.validation import one_of, unknown_name

#: What a value must be, by the keyword of JSON Schema that it breaks; others say it themselves.
REASONS = {
    "minimum": "must be >= {}",
    "maximum": "must be <= {}",
    "exclusiveMinimum": "must be > {}",
    "exclusiveMaximum": "must be < {}",
    "minItems": "must have {} items or more",
    "maxItems": "must have {} items or fewer",
    "minLength": "must have {} characters or more",
    "maxLength": "must have {} characters or fewer",
    "multipleOf": "must be a multiple of {}",
    "pattern": "must match {}",
}
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def bind(info: ModelInfo, params: Mapping[str, Any], partitions: Mapping[str, Partition]) -> Bound:
    """Check params by the model's schema; labels and noise levels are as it announces them."""
    return Bound(
        params=_filled(info, dict(params)),
        labels=info.labels,
        prior=announced_prior(info, info.labels),
        schedule=lambda: info.schedule,
        presets=info.presets,
    )


def _filled(info: ModelInfo, params: dict[str, Any]) -> dict[str, Any]:
    """Return the params with the defaults of those that are left out, in the schema's order."""
    if info.params_schema is None:
        if params:
            raise SpecError("params", params, f"model {info.name!r} has no parameters")
        return {}
    try:
        validator = _validator(json.dumps(info.params_schema))
        properties: dict[str, Any] = info.params_schema.get("properties", {})
        defaults = {n: each["default"] for n, each in properties.items() if "default" in each}
        filled = {n: _number(properties.get(n, {}), v) for n, v in (defaults | params).items()}
        error = min(validator.iter_errors(_finite(filled)), key=_depth, default=None)
    except (SchemaError, Unresolvable) as fault:
        reason = f"model {info.name!r} announces a params_schema that is none: {_line(fault)}"
        raise SpecError("params", params, reason) from None
    if error is not None:
        raise _spec_error(error, params, list(properties))
    return {name: filled[name] for name in properties if name in filled}


@lru_cache(maxsize=64)
def _validator(schema: str) -> Draft202012Validator:
    """Return what checks params; it refuses names it does not know, and fetches nothing."""
    document = {"additionalProperties": False, **json.loads(schema)}
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, registry=Registry())


def _finite(params: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(params, allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise SpecError("params", str(params), f"must be JSON of finite numbers: {fault}") from None
    return params


def _line(fault: Exception) -> str:
    return str(fault).splitlines()[0]


def _number(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a number as its schema has it: 2 and 2.0 are the same setting."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if schema.get("type") == "number":
        return float(value)
    whole = schema.get("type") == "integer" and float(value).is_integer()
    return int(value) if whole else value


def _depth(error: ValidationError) -> tuple[int, list[str]]:
    return len(error.absolute_path), [str(part) for part in error.absolute_path]


def _spec_error(error: ValidationError, params: dict[str, Any], names: list[str]) -> SpecError:
    path, value = ["params", *map(str, error.absolute_path)], cast(Any, error.instance)
    if len(path) == 2:
        value = params.get(path[1], value)  # as it was sent
    needed: Any = error.validator_value
    if error.validator == "additionalProperties" and not error.absolute_path:
        unknown = next(name for name in value if name not in names)
        return SpecError(f"params.{unknown}", value[unknown], unknown_name(unknown, names))
    if error.validator == "required" and not error.absolute_path:
        missing = next(name for name in needed if name not in value)
        return SpecError(f"params.{missing}", None, "is missing: the model gives it no default")
    return SpecError(".".join(path), value, _reason(error))


def _reason(error: ValidationError) -> str:
    keyword, bound = str(error.validator), cast(Any, error.validator_value)
    if keyword == "type":
        kinds = [bound] if isinstance(bound, str) else bound
        return "must be " + " or ".join(TYPES.get(kind, kind) for kind in kinds)
    if keyword == "enum":
        return one_of(error.instance, bound)
    return REASONS[keyword].format(bound) if keyword in REASONS else error.message
