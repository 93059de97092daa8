"""models.toml: what a person writes by hand, and what `models add` adds to it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entroscope_workers.library.models_file import add_table, entry_of, read_tables
from entroscope_workers.models.entry import Entry

BY_HAND = """# The big ones are on the other disk.
[models.edm2-xs]
family = "edm2"
path = "weights/xs.safetensors"   # 512 px
unconditional = "/else/where.safetensors"
labels = "names.txt"
vae = "~/vae"
dtype = "float16"

[models.edm2-xs.options]
blocks = 3
"""


def read(file: Path) -> dict[str, Entry]:
    return {name: entry_of(file, name, table) for name, table in read_tables(file).items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(BY_HAND)
    return path


def test_places_in_a_table_are_relative_to_its_file(file: Path, tmp_path: Path) -> None:
    assert read(file)["edm2-xs"] == Entry(
        name="edm2-xs",
        family="edm2",
        path=tmp_path / "weights/xs.safetensors",
        unconditional=Path("/else/where.safetensors"),
        labels=str(tmp_path / "names.txt"),
        vae=Path("~/vae").expanduser(),
        dtype="float16",
        options={"blocks": 3},
    )


def test_a_set_of_labels_that_comes_along_is_no_file(file: Path) -> None:
    file.write_text(BY_HAND.replace("names.txt", "imagenet"))
    assert read(file)["edm2-xs"].labels == "imagenet"


def test_where_there_is_no_file_there_are_no_models(tmp_path: Path) -> None:
    assert read_tables(tmp_path / "models.toml") == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('dtype = "float8"', "models.x: dtype: Input should be .*, found 'float8'"),
        ("colour = 1", "models.x: colour: Extra inputs are not permitted, found 1"),
        ("path = 3", "models.x: path: .*, found 3"),
        ('name = "y"', "models.x: name: the table's own name"),
    ],
)
def test_a_field_that_is_off_is_named_with_file_and_table(
    tmp_path: Path, line: str, said: str
) -> None:
    file = tmp_path / "models.toml"
    file.write_text(f'[models.x]\nfamily = "edm2"\n{line}\n')
    with pytest.raises(ValueError, match=rf"models\.toml: {said}"):
        read(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models = [", "expected a list of models in TOML"),
        ("\udcff", "expected a list of models in TOML"),
        ("models = 3", "expected tables .* found models = 3"),
        ("[edm2]\npath = 'x'", "expected tables .* found edm2"),
        ("[models]\npath = 'x'", "models.path: expected a table, found 'x'"),
        ("[models.x]\npath = 'x'", "models.x: family: Field required"),
        ("[models.'X Y']\nfamily = 'x'", "models.X Y: name: .*, found 'X Y'"),
    ],
)
def test_a_file_that_is_off_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "models.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=said) as caught:
        read(file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)


def test_what_was_written_by_hand_stays_when_a_model_is_added(file: Path) -> None:
    before = read(file)
    small = Entry(name="small", family="dit", path=Path("/a b/c"))
    add_table(file, small)
    assert file.read_text().startswith(BY_HAND)
    assert read(file) == {**before, "small": small}


def test_a_name_is_never_written_over(file: Path) -> None:
    with pytest.raises(ValueError, match=r"there is a table \[models.edm2-xs\] already"):
        add_table(file, Entry(name="edm2-xs", family="dit"))
    assert file.read_text() == BY_HAND


def test_a_file_that_cannot_be_added_to_stays_as_it_is(file: Path) -> None:
    inline = 'models = { x = { family = "edm2" } }'
    file.write_text(inline)
    with pytest.raises(ValueError, match="write it by hand"):
        add_table(file, Entry(name="y", family="edm2"))
    assert file.read_text() == inline and list(file.parent.iterdir()) == [file]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(title=texts, options=st.dictionaries(texts, values, max_size=3))
def test_whatever_an_entry_holds_is_read_back(
    tmp_path: Path, title: str, options: dict[str, object]
) -> None:
    file = tmp_path / "models.toml"
    file.unlink(missing_ok=True)
    entry = Entry(name="x", family="edm2", path=Path("/x"), title=title, options=options)
    add_table(file, entry)
    assert read(file) == {"x": entry}
