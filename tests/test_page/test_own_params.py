"""The form of a user's own model: fields that follow from the JSON Schema of its parameters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from program import program
from visitor import Visitor, begin, expect_done, prepare

MODEL = '''
import dataclasses
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, Field

from entroscope.protocol.models import ModelInfo


class Params(BaseModel):
    """Parameters of two Gaussians on a line."""

    distance: float = Field(4, gt=0, le=100, description="Distance of the means.")
    side: Literal["left", "both"] = Field("both", description="Which mean is moved.")
    mirrored: bool = Field(False, description="Whether the line is mirrored.")
    note: str = Field("none", description="What is told of it.")


@dataclasses.dataclass(frozen=True)
class Two:
    device: torch.device
    distance: float = 4.0
    dtype = torch.float64
    info = ModelInfo(
        name="two", family="own", title="Two Gaussians", labels=("left", "right"), shape=(1,),
        params_schema=Params.model_json_schema(),
    )

    def bind(self, params, labels):
        return dataclasses.replace(self, distance=params["distance"])

    def start(self, noise, uniform, sigma, prior):
        return sigma * noise

    def denoise(self, x, sigma, rows, labels):
        center = (labels[:, None] - 0.5) * self.distance
        return center + (x[rows] - center) / (1 + sigma[rows, None] ** 2)

    def pictures(self, x):
        return np.zeros((len(x), 8, 8, 3), dtype=np.uint8)


MODELS = {"two": Two}
'''


@pytest.fixture
def visitor(browser: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody at a program that has the user's model alone."""
    (tmp_path / "two.py").write_text(MODEL)
    with (
        program(tmp_path, "--models", str(tmp_path / "two.py")) as running,
        browser.new_context() as context,
    ):
        visitor = Visitor(context, running.address)
        yield visitor
        assert not visitor.complaints


def test_a_number_a_choice_a_switch_and_a_text_are_filled_in_and_run(visitor: Visitor) -> None:
    visitor.expected = "422"
    page = visitor.open()
    prepare(page, "two", trajectories="32", steps="12")
    field = "[data-field='params.{}']".format
    expect(page.locator(f"{field('distance')} input")).to_have_value("4")
    expect(page.locator(f"{field('note')} input")).to_have_value("none")
    expect(page.locator(f"{field('mirrored')} option")).to_have_text(["yes", "no"])
    told = page.locator(f"{field('distance')} input").get_attribute("title")
    assert told == "Distance of the means. Default: 4. Range: above 0, at most 100."
    page.fill(f"{field('distance')} input", "101")
    expect(page.locator(f"{field('distance')} .error")).to_have_text("must be <= 100")
    page.fill(f"{field('distance')} input", "40")
    page.select_option(f"{field('side')} select", label="left")
    page.select_option(f"{field('mirrored')} select", label="yes")
    page.fill(f"{field('note')} input", "far apart")
    run = begin(page).split("/")[-1]
    expect_done(page)
    spec = page.request.get(f"{visitor.address}/api/runs/{run}").json()["spec"]
    expected = {"distance": 40, "side": "left", "mirrored": True, "note": "far apart"}
    assert spec["params"] == expected
