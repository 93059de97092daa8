"""Models and the workers that have them."""

from typing import Any

from fastapi import APIRouter

from entroscope.api.deps import ServicesDep
from entroscope.api.schemas import ModelList
from entroscope.measurement.plan.bound import bind_params
from entroscope.protocol.models import ModelInfo

router = APIRouter(prefix="/api", tags=["models"])


@router.get("/models", response_model=ModelList)
def list_models(services: ServicesDep) -> dict[str, Any]:
    """List every model a worker has announced, and whether one alive has it."""
    models = services.presence.models()
    return {"models": [_offered(*models[name]) for name in sorted(models)]}


def _offered(info: ModelInfo, available: bool) -> dict[str, Any]:
    labels = bind_params(info, {}).labels
    return {**info.model_dump(), "available": available, "labels_default": labels}
