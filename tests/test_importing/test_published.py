"""Published pickles: what is in them comes out as it went in, and nothing else happens."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from publishing import EasyDict, Persistent, golden, network, publish
from torch import nn

from entroscope.cli import main
from entroscope_workers.importing.nvidia import import_published, read_published

GOLDEN = Path(__file__).parents[1] / "data" / "edm2_cond.npz"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a pickle would run, would run here."""
    monkeypatch.chdir(tmp_path)


def small(**config: Any) -> Persistent:
    return network("Precond", config, {"unet.enc.conv.weight": torch.ones(2, 3)})


def said(file: Path) -> str:
    """Return the sentence an import ends with, having written nothing."""
    before = sorted(file.parent.iterdir())
    with pytest.raises(ValueError) as caught:
        import_published(file, file.with_suffix(".safetensors"))
    assert sorted(file.parent.iterdir()) == before
    sentence = str(caught.value)
    assert sentence.startswith(f"{file}: ") and "\n" not in sentence
    return sentence.removeprefix(f"{file}: ")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_network_comes_out_as_it_went_in(tmp_path: Path, protocol: int) -> None:
    config, state = golden(GOLDEN)
    file = publish(tmp_path / "xs.pkl", network("Precond", config, state), protocol)
    written = import_published(file, tmp_path / "xs.safetensors")
    found = safetensors.torch.load_file(written.weights)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    document = json.loads(written.config.read_text())
    assert document["class_name"] == "Precond" and document["config"] == config
    assert document["source"]["file"] == "xs.pkl" and len(document["source"]["sha256"]) == 64
    with safetensors.safe_open(written.weights, "pt") as opened:
        metadata = opened.metadata()
    assert json.loads(metadata["config"]) == config and metadata["class_name"] == "Precond"
    assert not Path("was-run").exists()


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool]
)
def test_tensors_keep_their_type(tmp_path: Path, dtype: torch.dtype) -> None:
    value = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
    net = Persistent("Precond")
    net.register_buffer("weight", value)
    (stored,) = read_published(publish(tmp_path / "x.pkl", net)).tensors.values()
    assert torch.equal(stored.tensor(), value) and stored.tensor().dtype == dtype


def test_views_come_out_as_tensors_of_their_own(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    views = {"turned": whole.T, "part": whole[1:3, ::2], "empty": whole[:0], "number": whole[2, 3]}
    net = Persistent("Precond")
    for name, view in views.items():
        net.register_buffer(name, view)
    net.register_buffer("padding", torch.zeros(100))
    tensors = read_published(publish(tmp_path / "x.pkl", net)).tensors
    for name, view in views.items():
        assert torch.equal(tensors[name].tensor(), view), name
        assert tensors[name].tensor().is_contiguous()


def test_only_what_a_state_dict_holds_is_taken(tmp_path: Path) -> None:
    net = small()
    assert "passing" in dict(net.named_buffers())
    tensors = read_published(publish(tmp_path / "x.pkl", net)).tensors
    assert tensors.keys() == net.state_dict().keys() == {"unet.enc.conv.weight"}


def test_arguments_come_out_as_json_has_them(tmp_path: Path) -> None:
    given = EasyDict(channel_mult=(1, 2), nested=EasyDict(a=None), scale=np.float32(0.5))
    found = read_published(publish(tmp_path / "x.pkl", small(**given))).config
    assert found == {"channel_mult": [1, 2], "nested": {"a": None}, "scale": 0.5}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"weight": torch.ones(2)}, "a plain value of the argument 'weight', found a StoredTensor"),
        ({"sigma": float("inf")}, "a plain value of the argument 'sigma', found inf"),
    ],
)
def test_arguments_that_are_no_settings_are_named(
    tmp_path: Path, given: dict[str, Any], reason: str
) -> None:
    assert reason in said(publish(tmp_path / "x.pkl", small(**given)))


@pytest.mark.parametrize("name", ["", "a.b", "a\nb", "\ud800", "__metadata__"])
def test_names_that_no_network_has_are_described(tmp_path: Path, name: str) -> None:
    net = small()
    net._buffers[name] = torch.ones(1)
    assert said(publish(tmp_path / "x.pkl", net)) == f"expected names in _buffers, found {name!r}"


def test_arguments_without_names_are_not_guessed(tmp_path: Path) -> None:
    net = small()
    net._init_args = (64, 4)  # type: ignore[assignment]
    assert said(publish(tmp_path / "x.pkl", net)) == (
        "expected arguments by name, found 2 of another kind"
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([1, 2], "expected a dict with 'ema', found a list"),
        ({"net": 1, "step": 2}, "expected a dict with 'ema', found a dict with 'net', 'step'"),
        ({"ema": [1]}, "expected one network under 'ema', found a list"),
        ({"ema": {0.05: 1}}, "expected one network under 'ema', found a dict with 0.05"),
        ("ema", "expected a dict with 'ema', found a str"),
    ],
)
def test_a_pickle_of_another_shape_is_described(
    tmp_path: Path, document: object, reason: str
) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(document))
    assert said(tmp_path / "x.pkl") == reason


def test_a_network_without_weights_is_described(tmp_path: Path) -> None:
    reason = "expected a network with weights, found none in Precond"
    assert said(publish(tmp_path / "x.pkl", Persistent("Precond"))) == reason


def test_a_module_of_another_library_is_refused_by_name(tmp_path: Path) -> None:
    net = small()
    net.add_module("norm", nn.LayerNorm(3))
    sentence = said(publish(tmp_path / "x.pkl", net))
    assert sentence == "refused: torch.nn.modules.normalization.LayerNorm"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = publish(tmp_path / "x.pkl", small())
    (tmp_path / "x.json").write_text("mine")
    with pytest.raises(ValueError, match=r"x\.json is there already"):
        import_published(file, tmp_path / "x.safetensors")
    assert (tmp_path / "x.json").read_text() == "mine"


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = publish(tmp_path / "x.pkl", small())
    assert main(("models", "import", str(file))) == 0
    assert f"{tmp_path / 'x.safetensors'}: Precond, 1 tensors" in capsys.readouterr().out
    assert main(("models", "import", str(file))) == 2
    assert main(("models", "import", str(file), "--out", str(tmp_path / "y.bin"))) == 2
    assert main(("models", "import", "no-such-file.pkl")) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.startswith("entroscope: ") for line in lines)
