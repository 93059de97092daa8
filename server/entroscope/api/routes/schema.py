"""What is sent and streamed: JSON Schemas, and the quantities that curves have."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from entroscope.api.schemas import ShownQuantity
from entroscope.protocol.events import event_schema
from entroscope.protocol.quantities import SHOWN, Quantity
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


@router.get("/quantities", response_model=list[ShownQuantity])
def get_quantities() -> Sequence[Quantity]:
    """Return the quantities that every curve has, in the order of a result."""
    return SHOWN
