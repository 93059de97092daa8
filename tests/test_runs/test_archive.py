"""Finished runs move to the archive: all of them, once, and viewers do not notice."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from live import Document, Live, live_server, sse_events
from puppet import Puppet
from waiting import eventually

from entroscope.broker.run_store import RunStore
from entroscope.protocol.errors import NotFound
from entroscope.protocol.quantities import SHOWN
from entroscope.runs.archive import UNFINISHED, Archive
from entroscope.runs.archive_files import Finished
from entroscope.streaming.broadcast import Broadcast

SPEC: Document = {"model": "fake", "trajectories": 12, "schedule": {"steps": 4}}


def archived(live: Live, puppet: Puppet, **fields: Any) -> str:
    """Return a run that is done and gone from Redis."""
    run = str(live.make(SPEC | fields)["id"])
    puppet.finish(run)
    eventually(lambda: not puppet.log.read(run))
    return run


def folder(live: Live, run: str) -> Path:
    return live.settings.data_dir / "archive" / run


def events(live: Live, run: str, after: str = "0-0") -> list[Document]:
    return list(sse_events(live, run, after))


def bits_of(live: Live, run: str) -> Document:
    """Return all that is known of a run over HTTP."""
    urls = ["", "/result", "/curves.csv", "/previews/0", "/previews/3"]
    return {url: live.http.get(f"/api/runs/{run}{url}").content for url in urls}


def test_a_finished_run_leaves_redis_and_keeps_its_files(live: Live, puppet: Puppet) -> None:
    run = archived(live, puppet)
    files = {str(path.relative_to(folder(live, run))) for path in folder(live, run).rglob("*.*")}
    pictures = {f"previews/{step}.jpg" for step in range(4)}
    assert files == pictures | {
        "run.json",
        "result.json",
        "values.npz",
        "sums.bin",
        "events.jsonl",
    }


def test_the_values_of_every_trajectory_are_kept(live: Live, puppet: Puppet) -> None:
    run = archived(live, puppet)
    values = np.load(folder(live, run) / "values.npz")
    assert values["values/classes"].shape == (len(SHOWN), 4, 12)
    assert values["values/classes"].dtype == np.float32
    assert values["labels"].shape == (12,)
    assert values["trajectory"].tolist() == list(range(12))
    result = live.http.get(f"/api/runs/{run}/result").json()
    means = values["values/classes"].astype(np.float64).mean(-1)
    for quantity in SHOWN:
        expected = np.array(result["curves"]["classes"][quantity.name])
        assert means[quantity.row] == pytest.approx(expected, rel=1e-6)


def test_values_with_an_array_that_is_none_of_theirs_are_read(live: Live, puppet: Puppet) -> None:
    run = archived(live, puppet)
    frames = live.app.state.services.results.finished_run(run)[1]
    # NumPy below 2.2 knew no such option of savez, and kept it as an array when it was given
    with (
        ZipFile(folder(live, run) / "values.npz", "a") as file,
        file.open("allow_pickle.npy", "w") as entry,
    ):
        np.lib.format.write_array(entry, np.array(False))
    assert live.app.state.services.results.finished_run(run)[1] == frames


def test_an_archived_run_replays_its_states_and_final_points(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        puppet.finish(run)
        seen = [json.loads(message) for message in socket if isinstance(message, str)]
    eventually(lambda: not puppet.log.read(run))
    replayed = [e for e in events(live, run) if e["type"] != "preview"]
    last_points = {e["step"]: e for e in seen if e["type"] == "point"}
    expected = [e for e in seen if e["type"] != "point" or last_points[e["step"]] is e]
    assert replayed == expected


def test_before_redis_forgets_a_run_its_viewers_read_the_archive(
    live: Live, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget, seen = RunStore.forget, []

    def watched(store: RunStore, run: str) -> None:
        seen.append(events(live, run))
        forget(store, run)

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "forget", watched)
        run = live.make(SPEC)["id"]
        with live.socket(run) as socket:
            puppet.finish(run)
            assert list(socket)
        eventually(lambda: not puppet.log.read(run))
    assert seen == [events(live, run)]


def test_after_keeps_its_meaning_across_the_move(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        puppet.finish(run)
        seen = [json.loads(message)["id"] for message in socket if isinstance(message, str)]
    eventually(lambda: not puppet.log.read(run))
    kept = [event["id"] for event in events(live, run)]
    for place, id in enumerate(seen[:-1]):
        left = [own for own in kept if own not in seen[: place + 1]]
        missing = [e["id"] for e in events(live, run, after=id) if e["type"] != "preview"]
        assert missing == [own for own in left if own in seen]


def test_the_archive_outlasts_everything(redis_url: str, puppet: Puppet, tmp_path: Path) -> None:
    with live_server(redis_url, tmp_path) as live:
        runs = [archived(live, puppet, seed=seed) for seed in range(2)]
        before = [bits_of(live, run) for run in runs]
        replay = events(live, runs[0])
        live.app.state.services.redis.flushall()
    with live_server(redis_url, tmp_path) as live:
        puppet.announce()
        assert [bits_of(live, run) for run in runs] == before
        assert events(live, runs[0]) == replay
        assert [r["id"] for r in live.http.get("/api/runs").json()["runs"]] == runs[::-1]


def test_a_cancelled_run_without_batches_is_archived_too(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    live.http.post(f"/api/runs/{run}/cancel")
    eventually(lambda: not puppet.log.read(run))
    assert live.run(run)["state"] == "cancelled"
    assert [e["type"] for e in events(live, run)] == ["queued", "cancelled"]
    assert not (folder(live, run) / "result.json").exists()


def test_a_failed_run_is_archived_with_its_finished_batches(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.perform(puppet.take())
    puppet.queue.fail(puppet.take(), "no memory")
    eventually(lambda: not puppet.log.read(run))
    assert live.run(run)["reason"] == "no memory"
    assert live.http.get(f"/api/runs/{run}/result").json()["batches"] == 1


def test_a_move_that_was_interrupted_before_redis_forgot_is_finished(
    redis_url: str, puppet: Puppet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, live_server(redis_url, tmp_path) as live:
        patch.setattr(RunStore, "forget", lambda *_: None)
        run = live.make(SPEC)["id"]
        puppet.finish(run)
        eventually(lambda: folder(live, run).exists())
    with live_server(redis_url, tmp_path) as live:
        eventually(lambda: not puppet.log.read(run))
        assert [r["id"] for r in live.http.get("/api/runs").json()["runs"]] == [run]


def test_a_move_that_was_interrupted_in_its_files_is_done_again(
    redis_url: str, puppet: Puppet, tmp_path: Path
) -> None:
    with live_server(redis_url, tmp_path, tend_s=60) as live:
        run = live.make(SPEC)["id"]
        puppet.finish(run)
    half = tmp_path / "archive" / f"{UNFINISHED}{run}"
    half.mkdir(exist_ok=True)
    (half / "run.json").write_text("{")
    with live_server(redis_url, tmp_path) as live:
        eventually(lambda: not puppet.log.read(run))
        assert live.http.get(f"/api/runs/{run}/result").json()["trajectories"] == 12
        assert not half.exists()


def test_a_run_that_cannot_be_written_stays_in_redis(
    live: Live, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full(_: Archive, run: str, __: Finished) -> None:
        tried.append(run)
        raise OSError(28, "No space left on device")

    run = live.make(SPEC)["id"]
    with monkeypatch.context() as patch:
        patch.setattr(Archive, "add", full)
        puppet.finish(run)
        eventually(lambda: len(tried) > 1)
        assert live.run(run)["state"] == "done"
        before = live.http.get(f"/api/runs/{run}/result").json()
        longer = live.http.post(f"/api/runs/{run}/extend", json={"trajectories": 24})
        assert longer.status_code == 409
    eventually(lambda: not puppet.log.read(run))
    assert live.http.get(f"/api/runs/{run}/result").json() == before


def test_a_run_that_cannot_be_written_can_be_deleted(
    live: Live, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Archive, run: str, __: Finished) -> None:
        raise OSError(28, "No space left on device")

    run = live.make(SPEC)["id"]
    with monkeypatch.context() as patch:
        patch.setattr(Archive, "add", full)
        puppet.finish(run)
        assert live.http.delete(f"/api/runs/{run}").status_code == 204
        assert live.http.get(f"/api/runs/{run}").status_code == 404
    assert puppet.log.read(run) == []


def test_folders_that_are_no_runs_are_left_alone(
    redis_url: str, puppet: Puppet, tmp_path: Path
) -> None:
    stray = tmp_path / "archive" / "0123"
    stray.mkdir(parents=True)
    (stray / "run.json").write_text("nonsense")
    with live_server(redis_url, tmp_path) as live:
        assert live.http.get("/api/runs").json()["runs"] == []
    assert (stray / "run.json").read_text() == "nonsense"


def test_a_deleted_run_leaves_no_files(live: Live, puppet: Puppet) -> None:
    run = archived(live, puppet)
    live.http.delete(f"/api/runs/{run}").raise_for_status()
    assert list((live.settings.data_dir / "archive").iterdir()) == []
    with pytest.raises(NotFound):
        live.app.state.services.results.source(run)


def test_a_viewer_joins_anew_where_it_was_when_its_run_moves_early(
    redis_url: str, puppet: Puppet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_server(redis_url, tmp_path) as live:
        run = live.make(SPEC)["id"]
        with live.socket(run) as socket:
            first = json.loads(socket.recv(timeout=20))
            # the reader sees nothing more, as if the run had been moved before its next look
            monkeypatch.setattr(Broadcast, "_publish", lambda *_: None)
            puppet.finish(run)
            live.app.state.services.results.finish(run)
            rest = [json.loads(message) for message in socket if isinstance(message, str)]
        assert [first["type"], rest[0]["type"], rest[-1]["type"]] == ["queued", "started", "done"]


@pytest.mark.parametrize("name", [f"{UNFINISHED}x", "stray.txt"])
def test_a_stray_file_does_not_stop_the_start(redis_url: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / name).write_text("nonsense")
    with live_server(redis_url, tmp_path) as live:
        assert live.http.get("/api/runs").json()["runs"] == []
