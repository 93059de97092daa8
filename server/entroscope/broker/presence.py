"""Which workers are there, what they do, and which models have ever been offered."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter
from redis import Redis

from entroscope.broker.keys import MODELS, PRESETS, worker_key
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.presets import RunPreset

#: An announcement holds this long unless renewed.
EXPIRES_MS = 5000

_PRESETS: TypeAdapter[tuple[RunPreset, ...]] = TypeAdapter(tuple[RunPreset, ...])


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

    def bring(self, presets: Sequence[RunPreset]) -> None:
        """Replace the presets that there are; they stay when the worker has gone."""
        self._redis.set(PRESETS, _PRESETS.dump_json(tuple(presets)))

    def lacks_presets(self) -> bool:
        """Return whether none were ever brought, or Redis has lost them."""
        return not self._redis.exists(PRESETS)

    def presets(self) -> tuple[RunPreset, ...]:
        """Return the presets last brought; none before any worker has started."""
        text = self._redis.get(PRESETS)
        return () if text is None else _PRESETS.validate_json(text)

    def withdraw(self, name: str) -> None:
        """Say that a worker leaves."""
        self._redis.delete(worker_key(name))

    def workers(self) -> list[WorkerInfo]:
        """Return the workers alive, by name."""
        keys = sorted(self._redis.scan_iter(match=worker_key("*"), count=1000))
        texts = self._redis.mget(keys) if keys else []
        return [WorkerInfo.model_validate_json(text) for text in texts if text is not None]

    def models(self) -> dict[str, tuple[ModelInfo, bool]]:
        """Return every model ever announced and whether a worker alive has it."""
        known = self._redis.hgetall(MODELS)
        here = {model.name for worker in self.workers() for model in worker.models}
        infos = [ModelInfo.model_validate_json(text) for text in known.values()]
        return {info.name: (info, info.name in here) for info in infos}
