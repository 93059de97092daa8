"""Each family in the browser, from files as users have them: pickles and diffusers folders."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from program import program
from publishing import golden, network, publish
from tiny import write_tiny
from visitor import Visitor, begin, expect_done, prepare

from entroscope.cli import main

DATA = Path(__file__).parents[1] / "data"
#: Families that are published as pickles, with their class and reference networks.
PICKLED = {"edm2": ("Precond", "edm2"), "edm": ("EDMPrecond", "edm_ddpmpp")}
FOLDERS = ("diffusers-unet", "dit")


def import_published(folder: Path, family: str, branch: str) -> Path:
    """Publish a reference network as a pickle, import it as a user would, return the weights."""
    class_name, stem = PICKLED[family]
    config, state = golden(DATA / f"{stem}_{branch}.npz")
    pickled = publish(folder / f"{family}-{branch}.pkl", network(class_name, config, state))
    assert main(["models", "import", str(pickled)]) == 0
    return pickled.with_suffix(".safetensors")


@pytest.fixture(scope="module")
def visitor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A visitor of the whole program with a model of each family in one models.toml."""
    folder = tmp_path_factory.mktemp("families")
    models = folder / "models.toml"
    for family in PICKLED:
        paths = ["--path", str(import_published(folder, family, "cond"))]
        paths += ["--unconditional", str(import_published(folder, family, "uncond"))]
        added = ["models", "add", f"own-{family}", "--family", family, *paths]
        assert main([*added, "--file", str(models)]) == 0
    for family in FOLDERS:
        entry = write_tiny(family, folder / family)
        added = ["models", "add", f"own-{family}", "--family", family, "--path", str(entry.path)]
        assert main([*added, "--file", str(models)]) == 0
    with program(folder, "--models", str(models)) as running, browser.new_context() as context:
        visitor = Visitor(context, running.address)
        yield visitor
        assert not visitor.complaints


@pytest.mark.parametrize("family", [*PICKLED, *FOLDERS])
def test_a_model_of_each_family_runs_from_the_page_with_previews(
    visitor: Visitor, family: str
) -> None:
    page = visitor.open()
    prepare(page, f"own-{family}", trajectories="6", steps="5")
    begin(page)
    expect_done(page)
    expect(page.locator(".sample")).to_have_count(6)
    assert page.locator("#entropy .scatterlayer path.js-line").count() > 0


def test_latents_may_be_decoded_at_every_noise_level(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "own-edm", trajectories="6", steps="5")
    page.get_by_text("More settings").click()
    expect(page.get_by_label("Pictures of the latents")).to_be_hidden()
    prepare(page, "own-dit", trajectories="6", steps="5")
    page.get_by_label("Pictures of the latents").select_option("all")
    address = begin(page)
    expect_done(page)
    run = address.rpartition("/")[2]
    sizes = page.evaluate(
        """async (run) => Promise.all([0, 4].map(async (step) => {
            const sheet = await fetch(`/api/runs/${run}/previews/${step}`);
            const picture = await createImageBitmap(await sheet.blob());
            return [picture.width, picture.height];
        }))""",
        run,
    )
    assert sizes[0] == sizes[1] and sizes[0][0] == 3 * 16  # decoded: 8 x 8 latents, factor 2
