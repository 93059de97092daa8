"""What is wrong with a Redis is said in one sentence, without its password."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError
from redis_process import RedisProcess
from waiting import eventually

from entroscope.broker import connect as module
from entroscope.broker.connect import connect, connect_at_last
from entroscope.protocol.errors import Unavailable


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_redis_that_does_not_answer(free_port: int) -> None:
    with pytest.raises(Unavailable) as caught:
        connect(f"redis://me:secret@127.0.0.1:{free_port}/0")
    text = str(caught.value)
    assert text.startswith(f"Redis at redis://127.0.0.1:{free_port}/0 does not answer: ")
    assert "secret" not in text and "\n" not in text


@pytest.mark.parametrize("url", ["", "http://127.0.0.1", "nonsense"])
def test_what_is_no_url_of_a_redis(url: str) -> None:
    with pytest.raises(Unavailable, match="is not the URL of a Redis"):
        connect(url)


def test_a_redis_may_be_looked_for_later(free_port: int) -> None:
    with connect(f"redis://127.0.0.1:{free_port}", check=False) as redis:
        with pytest.raises(ConnectionError):
            redis.ping()


def test_a_redis_that_is_away_is_waited_for_and_this_is_said_once(tmp_path: Path) -> None:
    process = RedisProcess(tmp_path)
    process.kill()
    said = list[str]()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(connect_at_last, process.url, said.append)
        eventually(lambda: said)
        process.start()
        with waiting.result(timeout=30) as redis:
            assert redis.ping()
    assert len(said) == 1 and said[0].startswith(f"waiting for Redis at {process.url}: ")
    process.kill()


def test_a_redis_that_wants_a_password_is_not_waited_for(tmp_path: Path) -> None:
    process = RedisProcess(tmp_path)
    with connect(process.url) as redis:
        redis.config_set("requirepass", "secret")
        with pytest.raises(Unavailable, match="does not answer"):
            connect_at_last(process.url, print)
    process.kill()


def test_a_redis_that_is_too_old(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_version", lambda redis: "6.0.16")
    with pytest.raises(Unavailable, match=r"is 6\.0\.16; 6\.2 or newer is needed"):
        connect(redis_url)
