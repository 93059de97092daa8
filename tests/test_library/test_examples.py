"""Labelled pictures: what is stored comes back, whatever the form; what is off is named."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.library.examples import read_examples
from entroscope_workers.library.registry import load_models
from entroscope_workers.library.with_data import all_with_data, with_data
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import run_batch

LABELS = ("T-shirt/top", "Bag", "Coat")
SHAPE = (4, 5, 1)
CPU = torch.device("cpu")


def pictures(n: int = 9, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def write_idx(folder: Path, data: NDArray[np.uint8], labels: list[int], part: str = "t10k") -> Path:
    folder.mkdir(exist_ok=True)
    n, height, width = data.shape[:3]
    images = struct.pack(">4B3I", 0, 0, 8, 3, n, height, width) + data.tobytes()
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    names = struct.pack(">4B1I", 0, 0, 8, 1, n) + bytes(labels)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(names)
    return folder


def write_images(
    folder: Path, data: NDArray[np.uint8], labels: list[int], names: list[str]
) -> Path:
    for index, (picture, label) in enumerate(zip(data, labels, strict=True)):
        own = folder / names[label]
        own.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.squeeze()).save(own / f"{index:03}.png")
    return folder


def test_idx_files_and_folders_of_the_same_pictures_are_the_same_data(tmp_path: Path) -> None:
    data, labels = pictures(), [2, 0, 1, 1, 0, 2, 2, 0, 1]
    idx = read_examples(write_idx(tmp_path / "idx", data, labels), LABELS, SHAPE)
    names = ["t-shirt-top", "Bag", "2"]  # by slug, by name, by index
    folders = read_examples(write_images(tmp_path / "folders", data, labels, names), LABELS, SHAPE)
    assert idx.info.checksum == folders.info.checksum
    assert idx.info.part == "t10k" and idx.info.per_label == (3, 3, 3)
    for examples in (idx, folders):
        picked = examples.pick(np.array([2, 2, 2, 0]), np.array([0.0, 0.5, 0.999, 0.34]))
        np.testing.assert_array_equal(picked, data[[0, 5, 6, 4]])


def test_other_pictures_have_another_checksum(tmp_path: Path) -> None:
    data, labels = pictures(), [0, 1, 2] * 3
    changed = data.copy()
    changed[3, 0, 0] ^= 1
    checksums = {
        read_examples(write_idx(tmp_path / name, own, labels), LABELS, SHAPE).info.checksum
        for name, own in (("a", data), ("b", changed))
    }
    assert len(checksums) == 2


def test_the_test_part_is_preferred(tmp_path: Path) -> None:
    write_idx(tmp_path, pictures(6), [0, 1, 2] * 2, "train")
    assert read_examples(tmp_path, LABELS, SHAPE).info.part == "train"
    write_idx(tmp_path, pictures(3), [0, 1, 2])
    info = read_examples(tmp_path, LABELS, SHAPE).info
    assert (info.part, info.examples) == ("t10k", 3)


def test_colours_are_kept_and_grey_pictures_become_colour(tmp_path: Path) -> None:
    (data,) = pictures(1, (4, 5, 3))
    for name, picture in (("Bag", data), ("Coat", data[..., 0])):
        (tmp_path / name).mkdir()
        Image.fromarray(picture).save(tmp_path / name / "a.PNG")
    colour, grey = read_examples(tmp_path, LABELS, (4, 5, 3)).pictures
    np.testing.assert_array_equal(colour, data)
    np.testing.assert_array_equal(grey, np.repeat(data[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ("name", "picture", "says"),
    [
        ("Hat/a.png", np.zeros((4, 5), np.uint8), "no class is called 'Hat'; the classes are T-sh"),
        ("Bag/a.txt", np.zeros((4, 5), np.uint8), "Bag: the class has no picture"),
        (
            "Bag/a.png",
            np.zeros((5, 4), np.uint8),
            r"a\.png: the picture is 5 x 4 grey \(L\), not 4",
        ),
        ("Bag/a.png", np.zeros((4, 5, 3), np.uint8), r"4 x 5 RGB \(RGB\), not 4 x 5 grey"),
        ("Bag/a.png", None, r"a\.png cannot be read as a picture"),
        ("a.png", np.zeros((4, 5), np.uint8), "neither IDX files nor one folder of images a class"),
    ],
)
def test_a_folder_that_is_off_is_named(
    tmp_path: Path, name: str, picture: NDArray[np.uint8] | None, says: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if picture is None or path.suffix == ".txt":
        path.write_bytes(b"not a picture")
    else:
        Image.fromarray(picture).save(path)
    with pytest.raises(ValueError, match=says):
        read_examples(tmp_path, LABELS, SHAPE)


def test_two_folders_of_one_class_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    data = pictures(2)
    write_images(tmp_path, data, [0, 1], ["Bag", "1"])
    with pytest.raises(ValueError, match="two folders stand for the same class"):
        read_examples(tmp_path, LABELS, SHAPE)
    with pytest.raises(ValueError, match="there is no folder"):
        read_examples(tmp_path / "nowhere", LABELS, SHAPE)


def test_idx_files_of_another_size_or_with_too_many_labels_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, pictures(3), [0, 1, 2])
    with pytest.raises(ValueError, match="t10k pictures are 4 x 5 grey, not 28 x 28 grey"):
        read_examples(tmp_path, LABELS, (28, 28, 1))
    with pytest.raises(ValueError, match="labels must be below 2, got 2"):
        read_examples(tmp_path, LABELS[:2], SHAPE)


def test_an_option_says_which_model_where_that_is_not_clear(tmp_path: Path) -> None:
    models = load_models(None, CPU)
    folder = write_idx(tmp_path, pictures(20, (28, 28, 1)), list(range(10)) * 2)
    for text in (str(folder), f"fashion-mnist={folder}"):
        data = all_with_data(models, [text])["fashion-mnist"].info.data
        assert data is not None and data.examples == 20
    with pytest.raises(ValueError, match="'gaussian-mixture' takes no folder of pictures"):
        all_with_data(models, [f"gaussian-mixture={folder}"])
    with pytest.raises(ValueError, match="given data twice"):
        all_with_data(models, [str(folder), str(folder)])
    with pytest.raises(ValueError, match="these read pictures: none"):
        all_with_data({"gaussian-mixture": models["gaussian-mixture"]}, [str(folder)])


def test_a_model_with_data_measures_them_and_says_which_they_were(tmp_path: Path) -> None:
    data = pictures(20, (28, 28, 1))
    write_idx(tmp_path, data, list(range(10)) * 2)
    model = with_data(load_models(["fashion-mnist"], CPU)["fashion-mnist"], tmp_path)
    drawn = model.draw_data(torch.tensor([3]), torch.tensor([0.6]), torch.zeros(1, 1, 28, 28))
    np.testing.assert_allclose(drawn[0, 0], data[13, :, :, 0] / 127.5 - 1, atol=1e-6)
    spec = {"paths_from": "data", "trajectories": 4, "schedule": {"steps": 4}, "previews": None}
    result = measure(model, spec)
    expected = {"part": "t10k", "checksum": checksum(model)}
    assert result["provenance"]["data"] == expected
    assert len(result["curves"]["classes"]["calibration"]["accuracy"]) == 4


def checksum(model: LoadedModel) -> str:
    data = model.info.data
    assert data is not None
    return data.checksum


def test_a_batch_that_was_made_for_other_data_fails_with_both_named(tmp_path: Path) -> None:
    plain = load_models(["fashion-mnist"], CPU)["fashion-mnist"]
    data, labels = pictures(10, (28, 28, 1)), list(range(10))
    one = with_data(plain, write_idx(tmp_path / "one", data, labels))
    other = with_data(plain, write_idx(tmp_path / "other", data[::-1].copy(), labels))
    spec = Spec.model_validate({"model": "fashion-mnist", "paths_from": "data"})
    plan = resolve(spec, one.info)
    wanted, found = checksum(one), checksum(other)
    with pytest.raises(ValueError, match=f"is for data {wanted}, this worker has {found}"):
        next(run_batch(plan, 0, other))
    with pytest.raises(ValueError, match="was given no labelled data on this worker"):
        next(run_batch(plan, 0, plain))
