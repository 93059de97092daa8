"""The whole way of a run, on a real Redis and on an imitated one."""

import json
from pathlib import Path

from live import live_server, sse_events
from puppet import Puppet
from redis import Redis
from waiting import eventually


def test_a_run_is_made_watched_and_archived(redis: Redis, queue_url: str, tmp_path: Path) -> None:
    puppet = Puppet(redis).announce()
    spec = {"model": "fake", "trajectories": 12, "schedule": {"steps": 4}}
    with live_server(queue_url, tmp_path) as live:
        run = live.make(spec)["id"]
        with live.socket(run) as socket:
            puppet.finish(run)
            seen = [json.loads(message)["type"] for message in socket if isinstance(message, str)]
        eventually(lambda: not puppet.log.read(run))
        assert seen[0] == "queued" and seen[-2:] == ["checks", "done"]
        assert list(sse_events(live, run))[-1]["type"] == "done"
        assert live.http.get(f"/api/runs/{run}/result").json()["trajectories"] == 12
