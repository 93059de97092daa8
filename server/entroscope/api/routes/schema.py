"""The JSON Schemas of what is sent and what is streamed."""

from typing import Any

from fastapi import APIRouter

from entroscope.protocol.events import event_schema
from entroscope.protocol.spec import Spec

router = APIRouter(prefix="/api/schema", tags=["schema"])


@router.get("/events", response_model=dict[str, Any])
def get_event_schema() -> dict[str, Any]:
    """Return the JSON Schema of one event of a run."""
    return event_schema()


@router.get("/spec", response_model=dict[str, Any])
def get_spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run's spec."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **Spec.model_json_schema()}
