"""Workers announce themselves and are forgotten when they no longer do."""

from fakes import INFO
from redis import Redis
from waiting import eventually

from entroscope.broker.keys import worker_key
from entroscope.broker.presence import EXPIRES_MS, Presence, WorkerInfo
from entroscope.protocol.presets import RunPreset


def info(name: str, run: str | None = None) -> WorkerInfo:
    return WorkerInfo(
        name=name, host="here", pid=1, device="cpu", models=[INFO], run=run, since_ms=0
    )


def test_announcements_are_renewed_and_withdrawn(redis: Redis) -> None:
    presence = Presence(redis)
    presence.announce(info("b"))
    presence.announce(info("a"))
    presence.announce(info("b", run="r"))
    assert presence.workers() == [info("a"), info("b", run="r")]
    presence.withdraw("a")
    assert presence.workers() == [info("b", run="r")]


def test_an_announcement_expires(redis: Redis) -> None:
    presence = Presence(redis)
    presence.announce(info("a"))
    assert 0 < redis.pttl(worker_key("a")) <= EXPIRES_MS
    redis.pexpire(worker_key("a"), 1)
    eventually(lambda: presence.workers() == [])


def test_models_are_remembered_when_their_workers_are_gone(redis: Redis) -> None:
    presence = Presence(redis)
    presence.announce(info("a"))
    assert presence.models() == {"fake": (INFO, True)}
    presence.withdraw("a")
    assert presence.models() == {"fake": (INFO, False)}


def test_a_model_is_known_as_last_announced(redis: Redis) -> None:
    presence = Presence(redis)
    faster = INFO.model_copy(update={"pairs_per_second": 7.0})
    presence.announce(info("a"))
    presence.announce(info("a").model_copy(update={"models": [faster]}))
    assert presence.models()["fake"] == (faster, True)


def preset(name: str) -> RunPreset:
    return RunPreset(
        name=name,
        title="A study",
        description="What it shows.",
        source="A paper",
        model="fake",
        family="fake",
        spec={"model": "fake"},
        evaluations=1,
    )


def test_presets_stay_when_their_worker_has_gone_and_are_replaced_by_the_next(
    redis: Redis,
) -> None:
    presence = Presence(redis)
    assert presence.presets() == ()
    presence.bring([preset("a"), preset("b")])
    assert presence.presets() == (preset("a"), preset("b"))
    presence.bring([preset("b")])
    assert presence.presets() == (preset("b"),)
