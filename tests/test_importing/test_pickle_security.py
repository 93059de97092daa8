"""Pickles that want more than to be data: refused by name, and nothing happens."""

import gzip
import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publishing import Persistent, network, publish

from entroscope_workers.importing.nvidia import import_published
from entroscope_workers.importing.pickles import machine

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
SYSTEM = f"refused: {os.system.__module__}.system"
PROOF = Path("was-run")


class Gadget:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo > {PROOF}",)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a pickle would run, would leave its proof here."""
    monkeypatch.chdir(tmp_path)


def small() -> Persistent:
    return network("Precond", {"label_dim": 2}, {"unet.enc.conv.weight": torch.ones(2, 3)})


def said(content: bytes) -> str:
    """Return the sentence a file ends with; it must be one, and nothing may have happened."""
    file = Path("x.pkl")
    file.write_bytes(content)
    loaded = set(sys.modules)
    with pytest.raises(ValueError) as caught:
        import_published(file, Path("x.safetensors"))
    sentence = str(caught.value)
    assert sentence.startswith("x.pkl: ") and "\n" not in sentence and len(sentence) < 300
    assert list(Path().glob("x.*")) == [file] and not PROOF.exists()
    assert not {name for name in set(sys.modules) - loaded if "evil" in name}
    return sentence.removeprefix("x.pkl: ")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_command_is_not_run(protocol: int) -> None:
    content = pickle.dumps({"ema": Gadget()}, protocol)
    pickle.loads(content)
    assert PROOF.exists()  # the gadget is a live one
    PROOF.unlink()
    assert said(content) == SYSTEM


def test_a_module_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text(f"open('{PROOF}', 'w')\nthing = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert said(b"cevil\nthing\n.") == "refused: evil.thing"
    assert said(b"\x80\x04\x8c\x04evil\x8c\x05thing\x93.") == "refused: evil.thing"
    assert said(b"(ievil\nthing\n.") == "refused: evil.thing"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("place", ["state", "arguments", "parameters", "modules", "beside"])
def test_a_command_deep_inside_a_network_is_not_run(
    tmp_path: Path, protocol: int, place: str
) -> None:
    net, more = small(), {}
    layer = net.get_submodule("unet.enc.conv")
    if place == "state":
        layer.extra = Gadget()  # type: ignore[assignment]
    elif place == "arguments":
        net._init_kwargs["extra"] = [{"deep": (Gadget(),)}]
    elif place == "parameters":
        layer._parameters["bias"] = Gadget()  # type: ignore[assignment]
    elif place == "modules":
        layer._modules["more"] = Gadget()  # type: ignore[assignment]
    else:
        more = {"loss_fn": Gadget()}
    assert said(publish(tmp_path / "x.pkl", net, protocol, **more).read_bytes()) == SYSTEM


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "builtins.exec",
        "builtins.getattr",
        "builtins.__import__",
        "builtins.open",
        "__builtin__.apply",
        "collections.OrderedDict.__init__",
        "functools.partial",
        "operator.attrgetter",
        "subprocess.Popen",
        "pickle.loads",
        "copyreg.add_extension",
        "numpy.load",
        "numpy.testing._private.utils.runstring",
        "torch.load",
        "torch.storage.io.BytesIO",
        "torch._utils.torch",
        "torch.hub.load",
        "torch.nn.modules.container.Module",
        "torch_utils.persistence._src_to_module",
    ],
)
def test_what_is_not_needed_is_refused_by_its_full_name(name: str) -> None:
    module, _, last = name.rpartition(".")
    wanted = f"refused: {name.replace('__builtin__', 'builtins')}"
    assert said(f"c{module}\n{last}\n(S'1'\ntR.".encode()) == wanted
    parts = name.split(".")
    for cut in range(1, len(parts)):  # a dotted name may be cut anywhere
        texts = [".".join(parts[:cut]).encode(), ".".join(parts[cut:]).encode()]
        words = b"".join(b"\x8c" + bytes([len(text)]) + text for text in texts)
        assert said(b"\x80\x04" + words + b"\x93)R.") == wanted


def test_a_name_cannot_speak_to_the_terminal() -> None:
    assert said(b"\x80\x04\x8c\x05\x1b[2J\n\x8c\x01x\x93.") == r"refused: \x1b[2J\n.x"
    assert len(said(b"cos\n" + b"x" * 100_000 + b"\n.")) < 200


DICT = b"ccollections\nOrderedDict\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (DICT + b"}S'a'\nI1\nsb.", "a state for a Name"),
        (DICT + b"N}S'__call__'\n" + DICT + b"s\x86b.", "a state for a Name"),
        (DICT + b"(tRS'x'\n(tR.", "a call of a str"),
        (DICT + b"(tR(tR.", "a call of a dict"),
        (b"cbuiltins\ndict\n(tR.", "a call of builtins.dict"),
        (b"(I1\nI2\nlI3\nb.", "a state for a list"),
        (b"(" + DICT + b"o.", "the instruction OBJ"),
        (b"(icollections\nOrderedDict\n.", "the instruction INST"),
        (b"\x82\x01.", "the instruction EXT1"),
        (b"Pposix.system\n.", "the instruction PERSID"),
        (b"S'storage'\nQ.", "the instruction BINPERSID"),
        (b"\x80\x05\x97.", "the instruction NEXT_BUFFER"),
        (DICT + b")}S'a'\nI1\ns\x92.", "a call with named arguments"),
        (b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR.", "a storage of a str"),
        (b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.", "_codecs.encode to 'zip'"),
        (b"cnumpy\ndtype\n(S'O8'\ntR.", "numbers of type 'O8'"),
    ],
)
def test_roundabout_ways_to_a_call_are_refused(content: bytes, reason: str) -> None:
    assert said(content) == f"refused: {reason}"


def storage_bytes(content: bytes) -> bytes:
    return pickle.dumps({"ema": _Storage(content)})


class _Storage:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return torch.storage._load_from_bytes, (self.content,)


def saved(thing: object) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def test_the_pickles_inside_a_storage_are_read_as_carefully() -> None:
    assert said(storage_bytes(saved(Gadget()))) == SYSTEM
    assert said(storage_bytes(pickle.dumps(Gadget()))) == SYSTEM
    assert said(storage_bytes(saved({"a": torch.ones(3)}))) == (
        "refused: torch._utils._rebuild_tensor_v2"
    )
    assert "expected one storage" in said(storage_bytes(saved([1, 2])))


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


class _Call:
    """Is pickled as a call of a function of torch's."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


@pytest.mark.parametrize(
    ("offset", "size", "stride", "reason"),
    [
        (0, (2**20, 2**20), (0, 0), "in a storage of 4 numbers"),
        (0, (5,), (1,), "in a storage of 4 numbers"),
        (2, (3,), (1,), "in a storage of 4 numbers"),
        (0, (2, 2), (3, 2), "in a storage of 4 numbers"),
        (-1, (2,), (1,), "sizes of a tensor that are no sizes"),
        (0, (2,), (-1,), "sizes of a tensor that are no sizes"),
        (0, (2,), (1, 1), "with strides"),
        (0, (2**70,), (1,), "sizes of a tensor that are no sizes"),
        (0, (1,) * 17, (1,) * 17, "expected up to 16 sizes"),
    ],
)
def test_a_tensor_stays_inside_its_storage(
    offset: int, size: tuple[int, ...], stride: tuple[int, ...], reason: str
) -> None:
    storage = torch.ones(4)._typed_storage()  # type: ignore[no-untyped-call]
    call = _Call(
        torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, OrderedDict()
    )
    assert reason in said(pickle.dumps({"ema": call}))


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
