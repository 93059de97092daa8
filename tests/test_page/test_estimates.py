"""Best estimates in the browser: one band, its parts, and what asks for more steps."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from visitor import Visitor, begin_short, curve, expect_done
from waiting import eventually

Document = dict[str, Any]

#: The highest value of the first band of a chart.
TOP = "(element) => Math.max(...element.data.find((trace) => trace.fill).y)"
NOISE, LEFT = 0.03, 0.01


def estimated(document: Document, left: float = LEFT) -> Document:
    """Return a curve with best estimates of half its plain means and errors that are known."""
    more: Document = {}
    for name in ("entropy", "production"):
        values = [None if value is None else value / 2 for value in document[name]]
        more[f"{name}_combined"] = values
        more[f"{name}_combined_se"] = [NOISE] * len(values)
        more[f"{name}_combined_step_error"] = [left] * len(values)
    return {**document, **more}


def rewrite(archived: Path, change: Callable[[Document], Document]) -> None:
    """Change every curve of an archived run: in its result and in the events of its batches."""
    result = json.loads((archived / "result.json").read_text())
    result["curves"] = {key: change(curve) for key, curve in result["curves"].items()}
    (archived / "result.json").write_text(json.dumps(result))
    events = [json.loads(line) for line in (archived / "events.jsonl").read_text().splitlines()]
    for event in events:
        if event["type"] == "batch":
            event["curves"] = {key: change(curve) for key, curve in event["curves"].items()}
        if event["type"] == "checks":
            unknown = {"name": "unmeasured", "ok": None, "value": None, "bound": None}
            event["checks"].append({**unknown, "explanation": "one trajectory has no error"})
    (archived / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))


def archived_run(page: Page, folder: Path, change: Callable[[Document], Document]) -> str:
    """Run a mixture, wait until it is archived, change its curves; return its address."""
    address = begin_short(page)
    expect_done(page)
    archived = folder / "data" / "archive" / address.split("/")[-1]
    eventually((archived / "events.jsonl").is_file, 60)
    rewrite(archived, change)
    return address.split("/", 3)[-1]


def test_the_best_estimate_has_one_band_that_legend_and_read_out_explain(
    visitor: Visitor, folder: Path, pictures: Path
) -> None:
    path = archived_run(visitor.open(), folder, estimated)
    page = visitor.open(f"/{path}?refined=yes")
    legend = page.locator("#chart-key")
    expect(legend).to_contain_text("best estimate")
    expect(legend).to_contain_text("95 %: 1.96 standard errors + error left by steps")
    expect(legend).to_contain_text("exact")
    highest = max(value for value in curve(page) if value is not None)
    assert math.isclose(highest, 1, rel_tol=0.05)  # half of the prior's two bits
    top = page.locator("#entropy").evaluate(TOP)
    assert math.isclose(top, highest + 1.96 * NOISE + LEFT, rel_tol=1e-6)
    expect(page.locator("#readout")).to_contain_text("± 0.069 bits")
    expect(page.locator("#readout")).to_contain_text("± 95 %")
    expect(page.locator("#checks [data-ok=null]")).to_contain_text("not measured")
    page.screenshot(path=pictures / "estimates-light.png")
    page.get_by_label("error in parts").check()
    expect(legend).to_contain_text("plain mean")
    expect(page.locator("#readout")).to_contain_text("95 % = noise 0.0588 + left by steps 0.01")
    expect(page).to_have_url(f"{visitor.address}/{path}?parts=yes")
    page.screenshot(path=pictures / "estimates-parts.png")


def test_a_run_whose_steps_leave_too_much_offers_twice_as_many(
    visitor: Visitor, folder: Path
) -> None:
    path = archived_run(visitor.open(), folder, lambda document: estimated(document, left=0.2))
    page = visitor.open(f"/{path}")
    expect(page.locator("#more-steps")).to_contain_text("More steps needed.")
    page.get_by_role("button", name="Run with 32 steps").click()
    expect(page.locator("#run-about")).to_contain_text("32 steps")
    expect_done(page)
