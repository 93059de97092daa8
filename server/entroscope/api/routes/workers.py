"""The workers alive."""

from typing import Any

from fastapi import APIRouter

from entroscope.api.deps import ServicesDep
from entroscope.api.schemas import WorkerList

router = APIRouter(prefix="/api", tags=["workers"])


@router.get("/workers", response_model=WorkerList)
def list_workers(services: ServicesDep) -> dict[str, Any]:
    """List the workers alive, what they have and what they do."""
    return {"workers": services.presence.workers()}
