"""A plan that is large holds up nobody, and ends when its client leaves."""

import threading
from collections.abc import Callable, Iterator

import pytest
from anyio import create_task_group, run, sleep_forever, to_thread
from live import Document, Live, live_server
from puppet import OFFER, Puppet
from starlette.requests import Request
from starlette.types import Message

from entroscope.api.planning import Planning
from entroscope.broker.connect import connect
from entroscope.measurement.mixtures.params import mixture_schema
from entroscope.processes.local_redis import LocalRedis
from entroscope.protocol.errors import SpecError
from entroscope.protocol.patience import Abandoned, go_on

MIXTURE = OFFER.model_copy(
    update={
        "name": "mixture",
        "unconditional": True,
        "params_kind": "mixture",
        "params_schema": mixture_schema(),
    }
)
EACH: Document = {f"p{i}": "each-vs-rest" for i in range(64)}
LARGE: Document = {
    "model": "mixture",
    "params": {"kind": "random", "components": 4096, "dimension": 1},
    "partitions": EACH,
}


@pytest.fixture(scope="module")
def live(real_redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with connect(real_redis.url) as redis:
        redis.flushall()
        Puppet(redis, MIXTURE).announce()
    with live_server(real_redis.url, tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.mark.parametrize("path", ["/api/runs/plan", "/api/runs"])
def test_a_run_of_too_many_curves_is_refused_at_once(live: Live, path: str) -> None:
    response = live.http.post(path, json=LARGE)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"]) == (422, "partitions.p0")
    assert "the limits are 4,096 curves and 4,194,304 labels" in error["message"]


def test_the_runs_of_a_sweep_are_bounded_together(live: Live) -> None:
    params = {"kind": "random", "components": 1024, "dimension": 64}
    partitions = {"p": "each-vs-rest", "q": "each-vs-rest", "r": "each-vs-rest"}
    spec: Document = {"model": "mixture", "params": params, "partitions": partitions}
    spec |= {"schedule": {"steps": 2}, "trajectories": 2}
    with_sides: Document = {"complement": "rebuilt", "trajectories": 4096}
    vary = [with_sides | {"seed": seed} for seed in range(9)]
    problem = live.http.post("/api/sweeps/plan", json={"spec": spec, "vary": vary}).json()
    assert problem["errors"][0]["field"] == "vary"
    assert "the limit for all runs together is 8,388,608" in problem["detail"]


def test_a_plan_that_takes_long_stops_when_its_client_leaves() -> None:
    begun = threading.Event()

    async def receive() -> Message:
        await to_thread.run_sync(begun.wait)
        return {"type": "http.disconnect"}

    def endless() -> None:
        while True:
            begun.set()
            go_on()

    async def ask() -> int:
        planning, client = Planning(quick_s=0.01), Request({"type": "http"}, receive)
        with pytest.raises(Abandoned):
            await planning.make(client, endless)
        return await planning.make(client, lambda: 7)

    assert run(ask) == 7


def test_small_plans_pass_a_large_one() -> None:
    begun, passed = threading.Event(), threading.Event()

    def large() -> str:
        begun.set()
        while not passed.is_set():
            go_on()
        return "large"

    async def stays() -> Message:
        await sleep_forever()
        raise AssertionError

    async def ask() -> list[str]:
        planning, client = Planning(quick_s=0.01), Request({"type": "http"}, stays)
        order = []

        async def make(work: Callable[[], str]) -> None:
            order.append(await planning.make(client, work))

        async with create_task_group() as group:
            group.start_soon(make, large)
            await to_thread.run_sync(begun.wait)
            await make(lambda: "small")
            passed.set()
        return order

    assert run(ask) == ["small", "large"]


def test_what_is_wrong_with_a_large_plan_is_told() -> None:
    def wrong() -> None:
        go_on()
        raise SpecError("seed", 1, "is wrong")

    async def receive() -> Message:
        await sleep_forever()
        raise AssertionError

    async def ask() -> None:
        await Planning(quick_s=-1).make(Request({"type": "http"}, receive), wrong)

    with pytest.raises(SpecError):
        run(ask)
