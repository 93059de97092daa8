"""Wall time of a run with 0, 10 and 100 viewers.

The worker has one core to itself; Redis, server and viewers share another. The machine should be
idle; the processor time of worker and server is printed too and depends on that less.

    python tests/benchmarks/viewers.py --model gaussian-mixture --rounds 3
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from entroscope import Client
from entroscope.processes.local_redis import local_redis
from entroscope.protocol.events import LAST

SPECS: dict[str, dict[str, Any]] = {
    "gaussian-mixture": {
        "params": {"kind": "random", "components": 40, "dimension": 1024},
        "schedule": {"steps": 64},
    },
    "fashion-mnist": {"schedule": {"steps": 32}},
}
START = "import sys; from entroscope.cli import main; sys.exit(main(sys.argv[1:]))"


def main() -> None:
    options = arguments()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})  # this process, Redis, server and viewers
    spec = SPECS[options.model] | {"model": options.model, "trajectories": options.trajectories}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        redis = stack.enter_context(local_redis(Path(folder)))
        address, server = stack.enter_context(served(redis.url, folder))
        worker = stack.enter_context(working(redis.url, options.model, cores[0]))
        client = stack.enter_context(Client(address))
        wait_for(client, options.model)
        wall_s(client, spec, 0)  # warms up
        times: dict[int, list[float]] = {count: [] for count in options.viewers}
        for seed in range(1, options.rounds + 1):
            for count in options.viewers:
                before, worked = cpu_s(server), cpu_s(worker)
                seconds, events = wall_s(client, spec | {"seed": seed}, count)
                times[count].append(seconds)
                used = cpu_s(server) - before
                per_event = f", {used / events * 1e6:.0f} us an event" if events else ""
                print(
                    f"round {seed}: {count:4d} viewers {seconds:7.2f} s (processor of the worker "
                    f"{cpu_s(worker) - worked:.2f} s), {events} events seen, server {used:.2f} s"
                    f"{per_event}"
                )
        report(times)


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", choices=SPECS, default="gaussian-mixture")
    options.add_argument("--trajectories", type=int, default=256)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--viewers", type=int, nargs="+", default=[0, 10, 100])
    return options.parse_args()


@contextmanager
def process(command: Sequence[str], core: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the project until the block ends."""
    pin = f"import os; os.sched_setaffinity(0, {{{core}}}); " if core is not None else ""
    environment = os.environ | ({"OMP_NUM_THREADS": "1"} if core is not None else {})
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", pin + START, *command],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=30)


@contextmanager
def served(redis_url: str, folder: str) -> Iterator[tuple[str, int]]:
    """Serve, and yield the address that the server prints and its process."""
    command = ["serve", "--redis-url", redis_url, "--port", "0", "--data-dir", folder]
    with process(command) as child:
        assert child.stdout is not None
        yield child.stdout.readline().split()[-1], child.pid


@contextmanager
def working(redis_url: str, model: str, core: int) -> Iterator[int]:
    """Have a worker on a core of its own, and yield its process."""
    command = ["work", "--redis-url", redis_url, "--models", model, "--device", "cpu"]
    with process(command, core) as child:
        yield child.pid


def wait_for(client: Client, model: str) -> None:
    """Wait until a worker has a model."""
    while not any(own["name"] == model and own["available"] for own in client.models()):
        asyncio.run(asyncio.sleep(0.2))


def wall_s(client: Client, spec: dict[str, Any], count: int) -> tuple[float, int]:
    """Return how long a run took on its worker, and how many events all viewers saw."""
    run = client.run(spec)
    seen = asyncio.run(watch_all(client.url, run.id, count))
    run.wait()
    document = run.document()
    return (document["finished_ms"] - document["started_ms"]) / 1000, sum(seen)


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def watch_all(url: str, run: str, count: int) -> list[int]:
    return await asyncio.gather(*(watch(url, run) for _ in range(count)))


async def watch(url: str, run: str) -> int:
    """Watch a run as a browser would; return the number of events."""
    socket_url = f"ws{url.removeprefix('http')}/api/runs/{run}/events"
    async with connect(socket_url, compression=None, max_size=None) as socket:
        seen = 0
        async for message in socket:
            seen += 1
            if isinstance(message, str) and json.loads(message)["type"] in LAST:
                break
        return seen


def report(times: dict[int, list[float]]) -> None:
    """Print the ratios to a run that nobody watches."""
    base = statistics.median(times[min(times)])
    for count, seconds in times.items():
        middle = statistics.median(seconds)
        ratios = [own / alone for own, alone in zip(seconds, times[min(times)], strict=True)]
        print(
            f"{count:4d} viewers: median {middle:.2f} s, ratio {middle / base:.3f} "
            f"(by round: {', '.join(f'{ratio:.3f}' for ratio in ratios)})"
        )


if __name__ == "__main__":
    main()
