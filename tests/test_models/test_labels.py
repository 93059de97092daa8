"""Label sets and files of labels: every name and group is what it says."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from entroscope.measurement.plan.curves import curves_of
from entroscope.protocol.partitions import Group
from entroscope_workers.models.adapters.labels import FOLDER, LABEL_SETS, label_names, label_presets

COUNTS = {"cifar10": 10, "fashion-mnist": 10, "imagenet": 1000}
IMAGENET = label_names("imagenet", 1000)
#: Words that name a member of exactly one group of kinds, wherever they stand in a name.
TELLING = {
    "dogs": "terrier retriever spaniel hound poodle corgi sheepdog schnauzer mastiff collie",
    "cats": "tabby lynx leopard jaguar lion tiger cheetah cougar",
    "birds": "owl eagle goose swan pelican toucan penguin albatross crane",
    "reptiles": "python cobra lizard turtle crocodile viper chameleon",
    "fish": "shark stingray goldfish eel sturgeon lionfish",
    "insects": "bee ant beetle butterfly mantis dragonfly",
    "vehicles": "bus truck locomotive canoe airliner cab jeep",
    "instruments": "guitar violin cello flute oboe trombone piano",
    "food": "pizza burrito bagel broccoli banana espresso",
}
#: Names that hold such a word and mean something else.
ELSEWHERE = {
    "tiger shark", "tiger beetle", "sea lion", "bee eater", "crane (machine)", "espresso maker",
}  # fmt: skip


def leaves(groups: list[Group]) -> Iterator[Group]:
    for group in groups:
        if group.groups is None:
            yield group
        else:
            yield from leaves(group.groups)


def members(preset: str, labels: str = "imagenet") -> dict[str, list[int]]:
    (found,) = [one for one in label_presets(labels) if one.name == preset]
    return {
        group.name: [int(label) for label in group.labels or ()]
        for group in leaves(found.partition)
    }


@pytest.mark.parametrize("labels", LABEL_SETS)
def test_every_set_has_its_names_once_and_says_where_they_are_from(labels: str) -> None:
    names = label_names(labels, COUNTS[labels])
    assert len({name.lower() for name in names}) == COUNTS[labels]
    assert json.loads((FOLDER / f"{labels}.json").read_text())["source"]


@pytest.mark.parametrize("labels", LABEL_SETS)
def test_every_preset_is_a_partition_of_the_labels(labels: str) -> None:
    names = label_names(labels, COUNTS[labels])
    for preset in label_presets(labels):
        assert curves_of({preset.name: preset.partition}, names)


@pytest.mark.parametrize("preset", ["kinds", "animals"])
def test_these_groups_hold_every_class_of_imagenet(preset: str) -> None:
    assert sorted(chain(*members(preset).values())) == list(range(1000))


def test_the_groups_lie_where_the_data_set_has_them() -> None:
    kinds = members("kinds")
    assert kinds["dogs"] == list(range(151, 269))
    assert kinds["birds"] == [*range(7, 25), *range(80, 101), *range(127, 147)]
    assert members("animals")["domestic cats"] == list(range(281, 286))
    assert members("animals")["big cats"] == list(range(286, 294))
    assert members("animals")["everything else"] == list(range(398, 1000))


@pytest.mark.parametrize("kind", TELLING)
def test_names_with_a_telling_word_are_in_its_group(kind: str) -> None:
    words = set(TELLING[kind].split())
    told = {
        index
        for index, name in enumerate(IMAGENET)
        if words & set(name.lower().split()) and name not in ELSEWHERE
    }
    assert len(told) >= 5
    assert told <= set(members("kinds")[kind])


def test_known_indices_have_their_names() -> None:
    known = {0: "tench", 134: "crane (bird)", 207: "golden retriever", 281: "tabby", 291: "lion"}
    known |= {517: "crane (machine)", 817: "sports car", 963: "pizza", 999: "toilet tissue"}
    assert {index: IMAGENET[index] for index in known} == known


def test_cifar_tells_animals_from_vehicles() -> None:
    groups = members("animals-vehicles", "cifar10")
    names = label_names("cifar10", 10)
    assert [names[index] for index in groups["vehicles"]] == [
        "airplane", "automobile", "ship", "truck"
    ]  # fmt: skip


def test_labels_without_names_are_numbers() -> None:
    assert label_names(None, 3) == ("0", "1", "2")
    assert label_presets(None) == ()


def test_a_file_has_one_name_a_line(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("zero\n  one two\nÄpfel\n", encoding="utf-8")
    assert label_names(str(file), 3) == ("zero", "one two", "Äpfel")
    assert label_presets(str(file)) == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\nb\n", "has 2 names, the network has 3 labels"),
        (b"a\n\nc\n", "line 2: is empty, must be a name"),
        (b"a\nb\na\n", "line 3: 'a' stands in line 1 already"),
        (b"a\nb\n" + b"c" * 301, "line 3: a name has 300 characters at most, got 301"),
        (b"a\n\xff\nc\n", "must be text in UTF-8"),
    ],
)
def test_a_file_that_is_off_is_refused_by_name(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError) as refusal:
        label_names(str(file), 3)
    assert str(file) in str(refusal.value) and reason in str(refusal.value)


def test_a_set_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'cifar10' has 10 names, the network has 1000 labels"):
        label_names("cifar10", 1000)


def test_what_is_neither_set_nor_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'cifar10' or .*'imagenet' or a file .* got 'imagnet'"):
        label_names("imagnet", 1000)
