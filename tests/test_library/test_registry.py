"""Lists of models: names, files, one of a file, and everything there is."""

import os
from pathlib import Path

import pytest
import torch

from entroscope.paths import default_models_file
from entroscope_workers.library.registry import find_offer, load_model, load_models, offers
from entroscope_workers.models.families import fashion_mnist

CPU = torch.device("cpu")
OWN = """
import dataclasses
from entroscope_workers.models.families.gaussian_mixture import load as mixture

class Mine:
    def __init__(self, device, name):
        self.inner, self.name = mixture(device), name
    def __getattr__(self, name):
        return getattr(self.inner, name)
    @property
    def info(self):
        return self.inner.info.model_copy(update={"name": self.name})

def yours(device):
    return Mine(device, "yours")

MODELS = {"mine": lambda device: Mine(device, "mine"), "yours": yours}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models.toml of the user, which is not there yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    default_models_file().parent.mkdir(parents=True)
    return default_models_file()


def table(name: str, path: Path = fashion_mnist.CHECKPOINT) -> str:
    return f'[models.{name}]\nfamily = "fashion-mnist"\npath = "{path}"\n'


def own(folder: Path, text: str = OWN) -> str:
    (folder / "own.py").write_text(text)
    return str(folder / "own.py")


def names(*items: str) -> list[str]:
    return [offer.name for offer in offers(items or None)]


BUNDLED = ["fashion-mnist", "gaussian-mixture"]


def test_without_a_list_there_is_what_comes_along_and_what_the_user_has(home: Path) -> None:
    assert names() == BUNDLED
    home.write_text(table("garments"))
    assert names() == [*BUNDLED, "garments"]


def test_a_list_is_exactly_what_it_says(home: Path, tmp_path: Path) -> None:
    home.write_text(table("garments"))
    other = tmp_path / "other.toml"
    other.write_text(table("one") + table("two"))
    assert names("gaussian-mixture") == ["gaussian-mixture"]
    assert names("garments", "fashion-mnist") == ["garments", "fashion-mnist"]
    assert names(str(other)) == ["one", "two"]
    assert names("fashion-mnist", str(other)) == ["fashion-mnist", "one", "two"]
    assert names(f"{other}:two") == ["two"]
    assert names(str(other), "two", str(other)) == ["one", "two"]
    assert names(own(tmp_path), "garments") == ["mine", "yours", "garments"]


def test_a_table_is_loaded_under_its_own_name_from_a_path_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(fashion_mnist.CHECKPOINT.read_bytes())
    (tmp_path / "models.toml").write_text(table("garments", Path("weights")))
    model = load_model("garments", CPU, [str(tmp_path / "models.toml")])
    assert model.info.name == "garments" and model.info.family == "fashion-mnist"
    assert model.info.weights_hash == load_model("fashion-mnist", CPU).info.weights_hash


def test_a_python_file_gives_models_that_measure(tmp_path: Path) -> None:
    from entroscope_workers import measure

    loaded = load_models([own(tmp_path)], CPU)
    assert list(loaded) == ["mine", "yours"]
    result = measure(loaded["mine"], {"trajectories": 4, "schedule": {"steps": 4}})
    assert result["spec"]["model"] == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("MODEL = 1", "expected MODELS, a dict of names to functions of a device, found nothing"),
        ("MODELS = {'Big Name': int}", "found 'Big Name'"),
        ("MODELS = {'mine': 3}", "expected a function of a device, found 3"),
        ("MODELS = {'mine': lambda device: 3}", "expected a Model with `info`, found int"),
        ("MODELS = {'mine': lambda device: device.colour}", "AttributeError: "),
        (OWN.replace("Mine(device, 'mine')", "x").replace('"mine")', '"m")'), "calls itself 'm'"),
    ],
)
def test_a_python_file_that_is_off_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        load_models([own(tmp_path, text)], CPU)
    sentence = str(caught.value)
    assert said in sentence and "\n" not in sentence
    assert "own.py" in sentence or "model 'mine': " in sentence


def test_a_model_that_answers_in_another_shape_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    wrong = "    def bind(self, *run): return self\n    def denoise(self, x, *rest): return x[0]\n"
    text = OWN.replace("    @property", wrong + "    @property", 1)
    with pytest.raises(ValueError, match=r"one datum an evaluation, \(1, 1\), got \(1,\)"):
        load_models([f"{own(tmp_path, text)}:mine"], CPU)


def test_an_installed_package_offers_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ringed.py").write_text(OWN.replace('"yours"', '"rung"'))
    information = tmp_path / "ringed-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: ringed\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[entroscope.models]\nrung = ringed:yours\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert names() == [*BUNDLED, "rung"]
    assert load_model("rung", CPU).info.name == "rung"
    assert find_offer("rung").where == "entry point ringed:yours"


def test_what_nobody_asked_for_and_cannot_be_loaded_is_left_out_with_a_sentence(home: Path) -> None:
    (home.parent / "empty").write_bytes(b"")
    home.write_text(
        table("good") + table("empty", Path("empty")) + table("gone", Path("no-such-file"))
    )
    said: list[str] = []
    assert list(load_models(None, CPU, said.append)) == [*BUNDLED, "good"]
    empty, gone = said
    assert "model 'empty': " in empty and empty.endswith("it is not offered")
    assert f"path '{home.parent}{os.sep}no-such-file' does not exist" in gone
    for wanted in (["empty"], ["gone"], [str(home)]):
        with pytest.raises(ValueError, match=r"model '(empty|gone)': "):
            load_models(wanted, CPU, said.append)


def test_a_broken_list_of_the_user_hides_no_other_model(home: Path) -> None:
    home.write_text("models = ")
    said: list[str] = []
    assert list(load_models(["gaussian-mixture"], CPU, said.append)) == ["gaussian-mixture"]
    with pytest.raises(ValueError, match=r"no model 'mine'; there are .*models\.toml: expected"):
        find_offer("mine")


def test_two_models_of_one_name_are_refused(home: Path, tmp_path: Path) -> None:
    home.write_text(table("fashion-mnist"))
    twice = rf"two models are called 'fashion-mnist': bundled and .*{home.name}"
    for wanted in (None, ["fashion-mnist"]):
        with pytest.raises(ValueError, match=twice):
            load_models(wanted, CPU)
    with pytest.raises(ValueError, match=twice):
        find_offer("fashion-mnist")
    assert find_offer("fashion-mnist", [str(home)]).where == str(home)
    assert find_offer("gaussian-mixture").name == "gaussian-mixture"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("no-such-model", "no model 'no-such-model'; there are fashion-mnist, "),
        ("nowhere.toml", "there is no file 'nowhere.toml'"),
        ("nowhere.py:x", "there is no file 'nowhere.py'"),
    ],
)
def test_an_item_that_names_nothing_is_said(item: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        offers([item])


def test_a_name_that_a_file_does_not_have_is_said_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"own\.py: no model 'theirs'; there are mine, yours"):
        offers([f"{own(tmp_path)}:theirs"])
