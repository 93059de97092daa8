"""The handbook is served in the page's own look, whole and without a network."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from handbook import GUIDE, PAGES
from starlette.testclient import TestClient

from entroscope.api.app import create_app
from entroscope.api.handbook import pages
from entroscope.api.handbook.rendering import rendered
from entroscope.api.handbook.spec_fields import spec_fields
from entroscope.protocol.spec import Spec
from entroscope.settings import Settings

#: What the page's help marks open.
ANCHORS = {
    "measured": "entropy production cross-entropy profiles window combined error-of-the-steps "
    "checks complement pruning exact calibration",
    "control": "guidance suggested-interval commitment branching switch",
}
ADDRESS = re.compile(r'(?:href|src)="([^"#]+)[#"]')


@pytest.fixture
def visitor(tmp_path: Path) -> TestClient:
    """A browser in front of a server that nothing else has started."""
    app = create_app(Settings(redis_url="redis://127.0.0.1:1", data_dir=tmp_path))
    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the handbook that may be written to."""
    folder = tmp_path / "guide"
    shutil.copytree(GUIDE, folder)
    monkeypatch.setattr(pages, "guide_folder", lambda: folder)
    yield folder


@pytest.mark.parametrize("slug", [path.stem for path in PAGES])
def test_every_page_is_served_with_its_place_in_the_contents(
    visitor: TestClient, slug: str
) -> None:
    response = visitor.get(f"/guide/{slug}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<a href="{slug}" aria-current="page">' in response.text


@pytest.mark.parametrize("address", ["/guide", *(f"/guide/{path.stem}" for path in PAGES)])
def test_a_page_asks_for_nothing_that_the_server_does_not_have(
    visitor: TestClient, address: str
) -> None:
    text = visitor.get(address).text
    assert "<script" not in text
    for link in set(ADDRESS.findall(text)):
        if not link.startswith("https://"):
            assert visitor.get(str(visitor.base_url.join(address).join(link))).status_code == 200, (
                link
            )


def test_the_contents_lead_to_every_page(visitor: TestClient) -> None:
    text = visitor.get("/guide").text
    assert all(f'href="guide/{path.stem}"' in text for path in PAGES)
    assert visitor.get("/guide/", follow_redirects=False).headers["location"] == "../guide"


def test_a_page_that_does_not_exist_is_a_problem_document(visitor: TestClient) -> None:
    response = visitor.get("/guide/nothing")
    assert response.status_code == 404
    assert "nothing" in response.json()["detail"]


@pytest.mark.parametrize("slug", ANCHORS)
def test_what_the_page_links_to_has_its_anchor(slug: str) -> None:
    body = pages.page_html(slug)
    assert all(f'id="{anchor}"' in body for anchor in ANCHORS[slug].split())


def test_every_setting_has_its_anchor_and_its_default() -> None:
    body = pages.page_html("first-run")
    fields = list(spec_fields(Spec.model_json_schema()))
    assert {"schedule.steps", "guidance.scale", "studies.switch.levels"} <= {f.path for f in fields}
    assert all(f'id="{field.anchor}"' in body for field in fields)
    assert "settings-schedule-steps" in body
    (trajectories,) = [field for field in fields if field.path == "trajectories"]
    assert trajectories.kind == "whole number, at least 2 and at most 1,000,000"
    assert trajectories.default == "256"


def test_formulas_are_mathml_and_tables_scroll_by_themselves() -> None:
    page = rendered("# A\n\n$x^2$\n\n$$y_1$$\n\n|a|\n|-|\n|b|\n", base="", index="")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in page.body
    assert 'display="block"' in page.body
    assert '<div class="table" tabindex="0"><table>' in page.body


def test_every_formula_of_the_handbook_is_understood() -> None:
    for path in PAGES:
        body = rendered(path.read_text("utf-8"), base="", index="").body
        for formula in re.findall(r"<math.*?</math>", body, re.DOTALL):
            assert "\\" not in formula, formula
            assert 'mathvariant="double' not in formula, formula


def test_markdown_cannot_bring_html_of_its_own() -> None:
    assert "<b>" not in rendered("a <b>b</b>", base="", index="").body


def test_a_page_is_rendered_once_and_again_when_its_file_changes(copied: Path) -> None:
    first = pages.page_html("changes")
    assert pages.page_html("changes") is first
    path = copied / "changes.md"
    path.write_text(path.read_text("utf-8") + "\nSomething new.\n", encoding="utf-8")
    os.utime(path, ns=(0, 10**18))
    assert "Something new." in pages.page_html("changes")


def test_a_server_starts_without_the_markdown_libraries() -> None:
    libraries = {"markdown_it", "latex2mathml"}
    code = f"import entroscope.api.app, sys; print(*({libraries!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
