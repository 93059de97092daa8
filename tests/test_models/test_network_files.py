"""Files of networks: what is wrong with which of them is said in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from tiny.edm2 import CONFIG, random_weights, write_network

from entroscope_workers.models.checkpoints.network_files import NetworkFile, filled, read_network
from entroscope_workers.models.networks.edm2 import Edm2Config, Precond


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_network(tmp_path / "net.safetensors", CONFIG)


def read(path: Path) -> NetworkFile[Edm2Config]:
    file = read_network(path, "Precond", Edm2Config)
    filled(Precond, file)
    return file


def refuses(path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_the_configuration_may_be_beside_the_weights_or_in_their_metadata(path: Path) -> None:
    inside = path.with_name("inside.safetensors")
    safetensors.torch.save_file(random_weights(CONFIG), inside, {"config": json.dumps(CONFIG)})
    assert read(inside).config == read(path).config


def test_a_configuration_beside_that_names_no_class_is_taken_at_its_word(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"config": CONFIG}))
    assert read(path).config.model_channels == CONFIG["model_channels"]


def test_weights_without_a_configuration_say_where_it_was_expected(path: Path) -> None:
    path.with_suffix(".json").unlink()
    refuses(path, r"net\.safetensors: expected how .* in net\.json or in the metadata, found neit")


@pytest.mark.parametrize("text", ["{", "[1]", '"Precond"'])
def test_a_configuration_that_is_no_object_is_refused(path: Path, text: str) -> None:
    path.with_suffix(".json").write_text(text)
    refuses(path, r"net\.json: expected (JSON|an object)")


def test_a_network_of_another_class_is_named(path: Path) -> None:
    document = {"class_name": "EDMPrecond", "config": CONFIG}
    path.with_suffix(".json").write_text(json.dumps(document))
    refuses(path, r"net\.json: expected a network of class 'Precond', found 'EDMPrecond'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 3}, r"config\.depth: Extra inputs .*, found 3"),
        ({"model_channels": "many"}, r"config\.model_channels: .*, found 'many'"),
        ({"label_dim": -1}, r"config\.label_dim: .*, found -1"),
        ({"model_channels": 1 << 40}, r"config\.model_channels: .*, found 1099511627776"),
        ({"img_resolution": 1 << 20}, r"config\.img_resolution: .*, found 1048576"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(
    path: Path, change: dict[str, Any], message: str
) -> None:
    path.with_suffix(".json").write_text(json.dumps({"config": {**CONFIG, **change}}))
    refuses(path, rf"net\.json: expected a network of EDM2: {message}")


def test_a_missing_argument_is_named(path: Path) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "img_channels"}
    path.with_suffix(".json").write_text(json.dumps({"config": config}))
    refuses(path, r"config\.img_channels: Field required$")


def test_tensors_that_are_missing_or_too_many_are_named(path: Path) -> None:
    weights = random_weights(CONFIG)
    del weights["unet.out_gain"]
    safetensors.torch.save_file(weights, path)
    refuses(path, r"'unet\.out_gain' is in one of them only")
    safetensors.torch.save_file({**weights, "unet.out_gain": torch.ones(2)}, path)
    refuses(path, r"expected 'unet\.out_gain' of shape \(\), found \(2,\)")


@pytest.mark.parametrize("length", [0, 7, 100, 5000])
def test_weights_cut_short_are_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    refuses(path, r"net\.safetensors: expected weights in safetensors")


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    refuses(tmp_path / "none.safetensors", r"none\.safetensors: expected weights in safetensors")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    refuses(tmp_path / "net.pkl", r"net\.pkl: expected safetensors, found a pickle: import it")
