"""Pickles that want more than to be data: refused by name, and nothing happens."""

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hostile import PROOF, SYSTEM, Gadget, said, small, storage_bytes
from publishing import publish

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a pickle would run, would leave its proof here."""
    monkeypatch.chdir(tmp_path)


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
@pytest.mark.parametrize("position", ["state", "arguments", "parameters", "modules", "beside"])
def test_a_command_deep_inside_a_network_is_not_run(
    tmp_path: Path, protocol: int, position: str
) -> None:
    net, more = small(), {}
    layer = net.get_submodule("unet.enc.conv")
    if position == "state":
        layer.extra = Gadget()  # type: ignore[assignment]
    elif position == "arguments":
        net._init_kwargs["extra"] = [{"deep": (Gadget(),)}]
    elif position == "parameters":
        layer._parameters["bias"] = Gadget()  # type: ignore[assignment]
    elif position == "modules":
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
