"""A class against its complement in the browser: where its curve ends, and its prior afterwards."""

import httpx
from playwright.sync_api import expect
from visitor import Visitor, expect_done

SPEC = {
    "model": "gaussian-mixture",
    "params": {"kind": "pair", "dimension": 4},
    "partitions": {"rest": "each-vs-rest"},
    "complement": "unconditional",
    "schedule": {"steps": 16},
    "trajectories": 64,
}


def test_the_floor_is_said_and_the_prior_is_chosen_afterwards(visitor: Visitor) -> None:
    made = httpx.post(f"{visitor.address}/api/runs", json=SPEC, timeout=60).json()
    page = visitor.open(f"/#/runs/{made['id']}")
    expect_done(page)
    chart = page.locator("#entropy")
    expect(page.locator("#run-about")).to_contain_text("against the unconditional branch")
    expect(chart).to_contain_text("(0.69 where the networks agree exactly)")
    expect(chart).to_contain_text("prior: 1.00 bits")
    page.fill("#complement-prior-value", "0.2")
    page.press("#complement-prior-value", "Enter")
    expect(chart).to_contain_text("prior: 0.72 bits")
    page.fill("#complement-prior-value", "")
    page.press("#complement-prior-value", "Enter")
    expect(chart).to_contain_text("prior: 1.00 bits")


def test_a_prior_that_is_none_is_refused_beside_the_run(visitor: Visitor) -> None:
    visitor.expected = "422"
    made = httpx.post(f"{visitor.address}/api/runs", json=SPEC, timeout=60).json()
    page = visitor.open(f"/#/runs/{made['id']}")
    expect_done(page)
    page.fill("#complement-prior-value", "2")
    page.press("#complement-prior-value", "Enter")
    expect(page.locator("#run-error")).to_contain_text("less than 1")
