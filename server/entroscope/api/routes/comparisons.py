"""Two runs seen together."""

from typing import Any

from fastapi import APIRouter

from entroscope.api.deps import BaseDep, RunDep, ServicesDep
from entroscope.api.schemas import Comparison
from entroscope.runs.comparisons import comparison

router = APIRouter(prefix="/api/comparisons", tags=["comparisons"])


@router.get("", response_model=Comparison)
def get_comparison(run: RunDep, base: BaseDep, services: ServicesDep) -> dict[str, Any]:
    """Return the paired differences, run less base, of two runs that share their trajectories."""
    return comparison(services.results, run, base)
