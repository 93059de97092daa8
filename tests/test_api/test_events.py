"""Events of a run: over WebSockets and as server-sent events, from any place on."""

from itertools import islice
from typing import Any

import jsonschema
import pytest
from live import Document, Live, sse_events
from puppet import PICTURE, Puppet, payloads
from waiting import eventually
from watching import all_of, closing, take

from entroscope.protocol.events import EVENT

SPEC: Document = {"model": "fake", "trajectories": 12, "schedule": {"steps": 4}}


def half_done(live: Live, puppet: Puppet) -> tuple[str, int]:
    """Return a run with one batch done and another under way, and how many events it has."""
    run = live.make(SPEC)["id"]
    puppet.perform(puppet.take())
    taken = puppet.take()
    for payload in islice(payloads(taken.plan, taken.batch), 2):
        puppet.publish(taken, payload)
    return run, len(puppet.log.read(run))


def test_a_viewer_sees_the_run_from_its_first_event_to_its_last(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        assert take(socket, 1)[0]["type"] == "queued"
        puppet.perform(puppet.take())
        types = [event["type"] for event in take(socket, 10)]
        assert types == ["started", *(["point", "preview"] * 4), "batch"]
        puppet.perform(puppet.take())
        events = take(socket, 8)
        assert [event["type"] for event in events[-3:]] == ["batch", "checks", "done"]
        assert closing(socket) == (1000, "the run has ended")


def test_two_viewers_see_the_same(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    with live.socket(run) as first, live.socket(run) as second:
        assert take(first, count) == take(second, count)


def test_every_event_fits_the_published_schema(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.finish(run)
    schema = live.http.get("/api/schema/events").json()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for event in sse_events(live, run):
        validator.validate(event)
        EVENT.validate_python(event)


@pytest.mark.parametrize("end", [("failed", {"reason": "r"}), ("cancelled", {})], ids=str)
def test_unhappy_ends_fit_the_schema_too(
    live: Live, puppet: Puppet, end: tuple[str, dict[str, Any]]
) -> None:
    run = live.make(SPEC)["id"]
    taken = puppet.take()
    if end[0] == "failed":
        puppet.queue.fail(taken, "r")
    else:
        puppet.queue.cancelled(taken, 3)
    last = all_of(live, run)[-1]
    assert last["type"] == end[0]
    EVENT.validate_python(last)


def test_after_any_event_exactly_the_missing_ones_come(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    with live.socket(run) as socket:
        events = take(socket, count)
    for place, event in enumerate(events):
        with live.socket(run, after=event["id"]) as socket:
            assert take(socket, count - place - 1) == events[place + 1 :]
            with pytest.raises(TimeoutError):
                socket.recv(timeout=0.01)


def test_server_sent_events_resume_by_query_and_by_header(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    events = list(islice(sse_events(live, run), count))
    middle = events[4]["id"]
    by_query = list(islice(sse_events(live, run, after=middle), count - 5))
    headers = {"Last-Event-ID": middle}
    by_header = list(islice(sse_events(live, run, headers=headers), count - 5))
    assert by_query == by_header == events[5:]


def test_server_sent_events_say_what_sockets_say(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    with live.socket(run) as socket:
        from_socket = take(socket, count)
    from_stream = list(islice(sse_events(live, run), count))
    for event in from_stream:
        if event["type"] == "preview":
            picture = live.http.get(event.pop("url")).content
            event.pop("schema")
            event["image"] = picture
    assert from_stream == from_socket


def test_a_picture_is_one_frame_with_header_and_bytes(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    with live.socket(run) as socket:
        pictures = [e for e in take(socket, count) if e["type"] == "preview"]
    assert [picture["step"] for picture in pictures] == [0, 1, 2, 3]
    assert pictures[2]["image"] == PICTURE + b"\x02"
    assert pictures[0]["run"] == run
    assert pictures[0]["samples"][0]["label"] == "a"


def test_points_hold_the_fold_so_far(live: Live, puppet: Puppet) -> None:
    run, count = half_done(live, puppet)
    with live.socket(run) as socket:
        points = [e for e in take(socket, count) if e["type"] == "point"]
    counts = [(p["batch"], p["step"], p["curves"]["classes"]["n"]) for p in points]
    assert counts == [*((0, step, 4) for step in range(4)), (1, 0, 12), (1, 1, 12)]


def test_what_a_late_worker_still_says_is_not_counted_twice(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    taken = puppet.take()
    puppet.perform(taken)
    for payload in payloads(taken.plan, taken.batch):
        puppet.publish(taken, payload)  # again, by somebody given up
    puppet.finish(run)
    points = [e for e in sse_events(live, run) if e["type"] == "point"]
    assert {point["curves"]["classes"]["n"] for point in points} <= {4, 12}


def test_entries_of_other_versions_are_passed_over(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.log.append(run, "confetti", {"colour": "red"})
    puppet.log.append(run, "point", {}, b"no frame")
    puppet.finish(run)
    assert {"confetti", "no frame"}.isdisjoint(e["type"] for e in all_of(live, run))
    assert live.run(run)["state"] == "done"


def test_an_event_stream_that_has_nothing_more_is_not_asked_again(
    live: Live, puppet: Puppet
) -> None:
    run = live.make(SPEC)["id"]
    puppet.finish(run)
    last = list(sse_events(live, run))[-1]
    response = live.http.get(f"/api/runs/{run}/events", headers={"Last-Event-ID": last["id"]})
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("id", ["nobody", "0" * 32, "%00", "x" * 3000])
def test_watching_an_unknown_run_closes_with_4404(live: Live, id: str) -> None:
    with live.socket(id) as socket:
        assert closing(socket) == (4404, "no such run")


@pytest.mark.parametrize("after", ["yesterday", "-", "1-", "%F0%9F%8E%89" * 100, "9" * 5000])
def test_watching_from_a_place_that_is_none_closes_with_4400(live: Live, after: str) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run, after=after) as socket:
        assert closing(socket)[0] == 4400


@pytest.mark.parametrize("rubbish", ["hello", b"\x00\xff", "{}"])
def test_a_client_that_says_something_is_closed_with_4400(live: Live, rubbish: str | bytes) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        socket.send(rubbish)
        assert closing(socket) == (4400, "nothing is to be sent on this socket")


def test_a_client_that_says_too_much_is_closed(live: Live) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        socket.send("x" * 100_000)
        assert closing(socket)[0] == 1009


def test_a_client_that_breaks_the_protocol_is_closed(live: Live) -> None:
    run = live.make(SPEC)["id"]
    with live.socket(run) as socket:
        socket.recv(timeout=20)
        socket.socket.sendall(b"\xff\xff\xff\xff")
        assert closing(socket)[0] == 1002


def test_viewers_that_leave_are_forgotten(live: Live) -> None:
    run = live.make(SPEC)["id"]
    broadcast = live.app.state.services.broadcast
    with live.socket(run) as socket, live.http.stream("GET", f"/api/runs/{run}/events"):
        socket.recv(timeout=20)
        eventually(lambda: broadcast.open(run).viewers == 2)
    eventually(lambda: broadcast.open(run).viewers == 0)


def test_an_unwatched_finished_run_is_dropped_from_memory(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.finish(run)
    all_of(live, run)
    broadcast = live.app.state.services.broadcast
    broadcast.tend([], idle_s=0)
    assert broadcast._channels == {}
    assert all_of(live, run)[-1]["type"] == "done"
