"""Whether the server works."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from redis.exceptions import RedisError

from entroscope.api.deps import ServicesDep
from entroscope.api.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
def get_health(services: ServicesDep) -> dict[str, Any]:
    """Say whether the server works and can reach its queue; needs no token."""
    try:
        reached = bool(services.redis.ping())
    except RedisError:
        reached = False
    status = "ok" if reached and not services.background.failing else "degraded"
    return {"status": status, "redis": reached, "version": version("entroscope")}
