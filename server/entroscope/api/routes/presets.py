"""Runs and sweeps that are ready to be started."""

from typing import Any

from fastapi import APIRouter

from entroscope.api.deps import ServicesDep
from entroscope.api.schemas import PresetList
from entroscope.runs.presets import offered_presets

router = APIRouter(prefix="/api", tags=["presets"])


@router.get("/presets", response_model=PresetList)
def list_presets(services: ServicesDep) -> dict[str, Any]:
    """List the studies of the papers and the sweeps of the theory.

    Each tells which models of workers alive can run it, and what it costs there.
    """
    return {"presets": offered_presets(services.presence, services.listing.rates())}
