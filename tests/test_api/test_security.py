"""Only names that are ours, no foreign pages, and the token where there is one."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from live import Live, live_server
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from entroscope.api.guesses import AT_ONCE, REFILL_S, REMEMBERED, Guesses
from entroscope.processes.local_redis import LocalRedis
from entroscope.settings import Settings

SECRET = "correct-horse"
RUN = "0" * 32


@pytest.fixture(scope="module")
def open_server(real_redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    options = {"allow_hosts": ("lab.example",)}
    with live_server(real_redis.url, tmp_path_factory.mktemp("open"), **options) as live:
        yield live


@pytest.fixture(scope="module")
def locked(real_redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(real_redis.url, tmp_path_factory.mktemp("locked"), token=SECRET) as live:
        yield live


OURS = ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]:8000", "lab.example", "lab.example:1"]
FOREIGN = ["evil.example", "", "localhost.evil.example", "127.0.0.1.evil", "a@localhost.x", "[::2]"]
FOREIGN += ["localhost:port", "0.0.0.0", "lab.example.", "[", "xn--9"]


@pytest.mark.parametrize("host", OURS)
def test_our_names_are_answered(open_server: Live, host: str) -> None:
    assert open_server.http.get("/api/runs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(open_server: Live, host: str) -> None:
    response = open_server.http.get("/api/runs", headers={"Host": host})
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"


SAME = [
    ("localhost:8000", "http://localhost:8000"),
    ("LOCALHOST", "http://localhost"),
    ("localhost:443", "https://localhost"),
    ("[::1]:9", "http://[::1]:9"),
    ("127.0.0.1:80", "http://127.0.0.1"),
    ("lab.example", "https://lab.example"),
    ("127.0.0.1:8000", "https://lab.example"),  # behind a proxy that has the name
]


@pytest.mark.parametrize(("host", "origin"), SAME)
def test_our_pages_may_ask(open_server: Live, host: str, origin: str) -> None:
    headers = {"Host": host, "Origin": origin}
    assert open_server.http.get("/api/runs", headers=headers).status_code == 200


OTHER = ["http://localhost:9", "http://localhost", "http://127.0.0.1:8000", "http://[::1]"]


@pytest.mark.parametrize("origin", OTHER)
def test_another_port_of_this_machine_is_another_origin(open_server: Live, origin: str) -> None:
    headers = {"Host": "localhost:8000", "Origin": origin}
    for method in ("GET", "POST"):
        response = open_server.http.request(method, "/api/runs", headers=headers)
        assert response.status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "file://", "localhost"])
def test_foreign_pages_may_not(open_server: Live, origin: str) -> None:
    for method, path in [("GET", "/api/runs"), ("POST", "/api/runs"), ("GET", "/")]:
        response = open_server.http.request(method, path, headers={"Origin": origin})
        assert response.status_code == 403


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_foreign_sockets_are_refused_at_the_upgrade(
    open_server: Live, header: dict[str, str]
) -> None:
    # httpx, since the WebSocket client writes its own Host
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    path = f"/api/runs/{RUN}/events"
    response = open_server.http.get(path, headers=upgrade | header)
    assert response.status_code == 403
    if "Origin" in header:
        with pytest.raises(InvalidStatus):
            open_server.socket(RUN, origin="http://evil.example")


def test_a_refused_socket_is_no_error_in_the_log(
    locked: Live, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        locked.socket(RUN, origin="http://evil.example")
    assert caught.value.response.headers["content-type"] == "application/problem+json"
    with locked.socket(RUN) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=20)
    locked.http.get("/healthz")
    assert "ERROR" not in capfd.readouterr().err
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_guesses_of_a_token_are_slowed_and_asking_without_one_is_not(
    real_redis: LocalRedis, tmp_path: Path
) -> None:
    right, wrong = ({"Authorization": f"Bearer {token}"} for token in (SECRET, "wrong"))
    with live_server(real_redis.url, tmp_path, token=SECRET) as live:
        for _ in range(AT_ONCE):
            assert live.http.get("/api/runs").status_code == 401
            assert live.http.get("/api/runs", headers=wrong).status_code == 401
        for headers in (wrong, right):
            response = live.http.get("/api/runs", headers=headers)
            assert response.status_code == 429
            assert 1 <= int(response.headers["retry-after"]) <= REFILL_S
            assert response.headers["content-type"] == "application/problem+json"
        assert live.http.get("/api/runs").status_code == 401
        assert live.http.get("/", params={"token": SECRET}).status_code == 429
        assert live.http.get("/healthz").status_code == 200


def test_an_address_may_guess_again_after_a_while() -> None:
    now = [100.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(AT_ONCE):
        assert guesses.wait_s("192.0.2.1") == 0
        guesses.wrong("192.0.2.1")
    assert guesses.wait_s("192.0.2.1") == REFILL_S
    assert guesses.wait_s("192.0.2.2") == 0
    now[0] += REFILL_S
    assert guesses.wait_s("192.0.2.1") == 0
    guesses.wrong("192.0.2.1")
    assert guesses.wait_s("192.0.2.1") == REFILL_S


def test_a_network_of_ipv6_guesses_as_one_and_memory_is_bounded() -> None:
    guesses = Guesses(lambda: 0.0)
    for host in range(AT_ONCE):
        guesses.wrong(f"2001:db8::{host:x}")
    assert guesses.wait_s("2001:db8::ffff") > 0
    assert guesses.wait_s("2001:db8:0:1::1") == 0
    for number in range(2 * REMEMBERED):
        guesses.wrong(f"192.0.{number // 256}.{number % 256}")
    assert len(guesses) == REMEMBERED


def test_without_the_token_nothing_is_shown(locked: Live) -> None:
    for path in ("/", "/api/runs", "/openapi.json", "/plotly.min.js", f"/api/runs/{RUN}/events"):
        response = locked.http.get(path)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert locked.http.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "value", ["Bearer wrong", "Bearer", f"Basic {SECRET}", f"Bearer {SECRET}x"]
)
def test_a_wrong_token_is_refused(locked: Live, value: str) -> None:
    assert locked.http.get("/api/runs", headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_scripts_send_the_token_in_a_header(locked: Live, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {SECRET}"}
    assert locked.http.get("/api/runs", headers=headers).status_code == 200


def test_browsers_swap_the_token_of_the_url_for_a_cookie(locked: Live) -> None:
    with httpx.Client(base_url=locked.url) as browser:
        response = browser.get("/", params={"token": SECRET, "theme": "dark"})
        assert (response.status_code, response.headers["location"]) == (303, "/?theme=dark")
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
        assert SECRET not in cookie
        assert browser.get("/api/runs").status_code == 200


def test_a_redirect_never_leaves_the_server(locked: Live) -> None:
    response = httpx.get(f"{locked.url}//evil.example/page", params={"token": SECRET})
    assert response.status_code == 303
    assert response.headers["location"].startswith("/evil.example")


def test_a_wrong_token_in_the_url_sets_nothing(locked: Live) -> None:
    response = httpx.get(f"{locked.url}/", params={"token": "wrong"})
    assert (response.status_code, response.cookies) == (401, httpx.Cookies())


def test_sockets_want_the_token_too(locked: Live) -> None:
    with locked.socket(RUN) as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=20)
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 4403
    headers = {"Authorization": f"Bearer {SECRET}"}
    with (
        locked.socket(RUN, additional_headers=headers) as socket,
        pytest.raises(ConnectionClosed) as caught,
    ):
        socket.recv(timeout=20)
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 4404


def test_every_answer_keeps_pages_to_themselves(open_server: Live) -> None:
    for path in ("/", "/api/runs", "/nothing"):
        headers = open_server.http.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "lab.example"])
def test_beyond_loopback_there_is_always_a_token(host: str, tmp_path: Path) -> None:
    made = Settings(redis_url="", data_dir=tmp_path, host=host)
    assert made.token is not None and len(made.token) >= 20
    assert f"?token={made.token}" in made.address()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_loopback_there_is_none_unless_given(host: str, tmp_path: Path) -> None:
    assert Settings(redis_url="", data_dir=tmp_path, host=host).token is None


def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        Settings(redis_url="", data_dir=tmp_path, token="two words")


@pytest.mark.parametrize("host", ["127.0.0.1/healthz?", "127.0.0.1/healthz#", "127.0.0.1\\healthz"])
def test_no_host_header_opens_a_path_that_needs_the_token(locked: Live, host: str) -> None:
    address = urlsplit(locked.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        lines = ("GET /api/runs HTTP/1.1", f"Host: {host}", "Connection: close", "", "")
        raw.sendall("\r\n".join(lines).encode())
        status = raw.makefile("rb").readline().split()[1]
    assert status in (b"400", b"401", b"403")
