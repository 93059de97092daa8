"""A model that was given labelled data is still the model that it was."""

import io

import numpy as np
import pytest
import torch
from autoencoders import write_autoencoder
from PIL import Image
from tiny.edm2 import CONFIG, write_network

from entroscope.measurement.curves.records import Preview
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Decode, Spec
from entroscope_workers.library.probe import probed
from entroscope_workers.library.with_data import with_data
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.edm2 import load_entry
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import run_batch

#: Heights of a datum and of its picture.
LATENT, PICTURE = 8, 64


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A tiny model of latents with a folder of pictures, one of each class."""
    folder = tmp_path_factory.mktemp("latent")
    path = write_network(folder / "net.safetensors", {**CONFIG, "img_channels": 4})
    vae = write_autoencoder(folder / "vae")
    entry = Entry(name="latent", family="edm2", path=path, vae=vae)
    model = load_entry(entry, torch.device("cpu"))
    stream = np.random.default_rng(0)
    for label in model.info.labels:
        (folder / "data" / label).mkdir(parents=True)
        pixels = stream.integers(0, 256, (PICTURE, PICTURE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "data" / label / "a.png")
    return with_data(model, folder / "data")


def heights(loaded: LoadedModel, decode: Decode) -> list[int]:
    """Return the height of the previews of every step of a run on the data."""
    document = {
        "model": "latent",
        "paths_from": "data",
        "trajectories": 2,
        "schedule": {"steps": 3},
        "previews": {"samples": 2, "decode": decode},
    }
    plan = resolve(Spec.model_validate(document), loaded.info)
    sheets = [p.image for p in run_batch(plan, 0, loaded) if isinstance(p, Preview)]
    return [Image.open(io.BytesIO(sheet)).height for sheet in sheets]


@pytest.mark.parametrize(
    ("decode", "expected"),
    [("last", [LATENT, LATENT, PICTURE]), ("all", [PICTURE] * 3), ("never", [LATENT] * 3)],
)
def test_latents_with_data_are_decoded_where_that_is_asked_for(
    latent: LoadedModel, decode: Decode, expected: list[int]
) -> None:
    assert heights(latent, decode) == expected


def test_a_worker_says_that_a_model_with_data_decodes(latent: LoadedModel) -> None:
    loaded, info = probed(latent)
    assert info.decodes and info.data is not None
    assert loaded.data is latent.data
