"""Pickles that ask for more memory or time than their size allows, or that end too early."""

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hostile import said, small, storage_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publishing import Persistent, publish

from entroscope_workers.importing.nvidia import import_published
from entroscope_workers.importing.pickles import machine


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a pickle would run, would leave its proof here."""
    monkeypatch.chdir(tmp_path)


def zip_bomb() -> bytes:
    """Return 100 MB of zeros as a zip archive of 100 kB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(10**8))
    assert len(stream.getvalue()) < 2 * 10**5
    return stream.getvalue()


def test_archives_are_never_inflated() -> None:
    bomb = zip_bomb()
    assert said(bomb) == "expected a plain pickle, found a zip archive"
    assert said(storage_bytes(bomb)) == "refused: a zip archive as a storage"
    assert "not a whole pickle" in said(gzip.compress(pickle.dumps({"ema": 1})))
    stream = io.BytesIO()
    torch.save({"ema": 1}, stream)
    assert said(stream.getvalue()) == "expected a plain pickle, found a zip archive"


def test_weights_that_share_a_storage_may_not_outgrow_the_file(tmp_path: Path) -> None:
    net, shared = Persistent("Precond"), torch.ones(2000)
    for index in range(40):
        net.register_buffer(f"b{index}", shared)
    content = publish(tmp_path / "x.pkl", net).read_bytes()
    assert said(content) == "refused: weights larger than the file"


def test_lengths_that_are_announced_are_not_believed() -> None:
    assert "not a whole pickle" in said(b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x.")
    assert "not a whole pickle" in said(b"\x8b" + (2**31 - 1).to_bytes(4, "little") + b"x.")
    # A position of 2^32 - 1 in the memo: Python's own unpickler makes room for all before it.
    memo = b"\x80\x02]r" + b"\xff" * 4 + b"0j" + b"\xff" * 4 + b"."
    assert said(memo) == "expected a dict with 'ema', found a list"


def test_depth_costs_nothing_and_is_no_key() -> None:
    deep = b"\x80\x02)" + b"\x85" * 200_000
    assert said(deep + b".") == "expected a dict with 'ema', found a tuple"
    assert said(b"\x80\x02}" + deep[2:] + b"Ns.") == "refused: a tuple as a key"


def test_steps_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MOST_STEPS", 1000)
    assert said(b"(" + b"}" * 1000 + b"l.") == "refused: more than 1,000 steps"


@pytest.mark.parametrize("how", ["doubled", "deep"])
def test_modules_nested_too_deep_or_too_often_end_the_walk(tmp_path: Path, how: str) -> None:
    net = small()
    inner: torch.nn.Module = net
    for _ in range(40):
        outer = Persistent("Precond")
        outer._modules = {"a": inner, "b": inner if how == "doubled" else None}
        inner = outer
    content = publish(tmp_path / "x.pkl", inner).read_bytes()
    assert said(content).startswith("refused: modules nested without end at ")


def test_arguments_that_repeat_each_other_end_too(tmp_path: Path) -> None:
    net, shared = small(), ["x"] * 10
    for _ in range(6):
        shared = [shared] * 10  # type: ignore[list-item]
    net._init_kwargs["mult"] = shared
    content = publish(tmp_path / "x.pkl", net).read_bytes()
    assert said(content) == "refused: the argument 'mult' has no end"


def test_a_file_that_ends_too_early_is_one_sentence(tmp_path: Path) -> None:
    content = publish(tmp_path / "whole.pkl", small()).read_bytes()
    assert said(b"") == "expected a pickle, found an empty file"
    for size in (1, 2, 30, len(content) // 2, len(content) - 1):
        assert "not a whole pickle" in said(content[:size])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
@given(data=st.data())
def test_whatever_is_in_a_file_the_end_is_weights_or_one_sentence(
    data: st.DataObject, tmp_path: Path
) -> None:
    content = bytearray(publish(tmp_path / "whole.pkl", small()).read_bytes())
    size = len(content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, size - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "x.pkl"
    file.write_bytes(content)
    for made in tmp_path.glob("x.[sj]*"):
        made.unlink()
    try:
        import_published(file, file.with_suffix(".safetensors"))
    except ValueError as error:
        assert "\n" not in str(error)
        assert not list(tmp_path.glob("x.[sj]*"))
