"""The OpenAPI document: bodies that routes read themselves, and problems instead of defaults."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from entroscope.api.problems import MEDIA_TYPE, Problem
from entroscope.api.schemas import Extension, Refinement
from entroscope.measurement.plan.sweep import Sweep
from entroscope.protocol.spec import Spec

REF = "#/components/schemas/{model}"

#: Every route may answer with a problem.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What was wrong, as problem JSON (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
    }
}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a JSON body that the route reads itself."""
    schema = {"$ref": REF.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI) -> None:
    """Let an app describe itself completely."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    bodies = (Spec, Extension, Refinement, Sweep)
    schemas = [*((body, "validation") for body in bodies), (Problem, "serialization")]
    _, definitions = models_json_schema(schemas, ref_template=REF)  # type: ignore[arg-type]
    schema["components"]["schemas"] |= definitions["$defs"]
    return schema
