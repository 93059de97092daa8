"""Which workers are there, what they do, and which models have ever been offered."""

from pydantic import BaseModel, ConfigDict
from redis import Redis

from entroscope.keys import MODELS, worker_key
from entroscope.protocol.models import ModelInfo

#: An announcement holds this long unless renewed.
EXPIRES_MS = 5000


class WorkerInfo(BaseModel):
    """A worker as it announces itself; run and batch are None while it waits."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    host: str
    pid: int
    device: str
    models: list[ModelInfo]
    run: str | None = None
    batch: int | None = None
    since_ms: int


class Presence:
    """The announcements in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def announce(self, info: WorkerInfo) -> None:
        """Say that a worker lives; to be repeated well within EXPIRES_MS."""
        with self._redis.pipeline() as pipe:
            pipe.set(worker_key(info.name), info.model_dump_json(), px=EXPIRES_MS)
            if info.models:
                pipe.hset(MODELS, mapping={m.name: m.model_dump_json() for m in info.models})
            pipe.execute()

    def withdraw(self, name: str) -> None:
        """Say that a worker leaves."""
        self._redis.delete(worker_key(name))

    def workers(self) -> list[WorkerInfo]:
        """Return the workers alive, by name."""
        keys = sorted(self._redis.scan_iter(match=worker_key("*"), count=1000))
        found = self._redis.mget(keys) if keys else []
        return [WorkerInfo.model_validate_json(text) for text in found if text is not None]

    def models(self) -> dict[str, tuple[ModelInfo, bool]]:
        """Return every model ever announced and whether a worker alive has it."""
        known = self._redis.hgetall(MODELS)
        here = {model.name for worker in self.workers() for model in worker.models}
        infos = [ModelInfo.model_validate_json(text) for text in known.values()]
        return {info.name: (info, info.name in here) for info in infos}
