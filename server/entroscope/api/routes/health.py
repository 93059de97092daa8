"""Whether the server works."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from redis.exceptions import RedisError

from entroscope.api.deps import ServicesDep
from entroscope.api.schemas import Health
from entroscope.broker.connect import is_full

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
def get_health(services: ServicesDep) -> dict[str, Any]:
    """Say whether the server works and can reach its queue; needs no token."""
    try:
        reached = bool(services.redis.ping())
        full = is_full(services.redis)
    except RedisError:
        reached = full = False
    good = reached and not full and not services.background.failing
    return {
        "status": "ok" if good else "degraded",
        "redis": reached,
        "reason": "Redis is out of memory" if full else None,
        "version": version("entroscope"),
    }
