"""The figures of the handbook: small runs in the foreground, drawn by Plotly in a headless browser.

    python tests/benchmarks/guide_figures.py
    python tests/benchmarks/guide_figures.py --only steps commitment

Takes about five minutes on two cores. Needs Playwright and a Chromium. Lines and texts have colours
of middle lightness on no background, so that one file serves light and dark pages.
"""

import argparse
import json
import math
import re
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from plotly.graph_objects import Figure

from entroscope.api.routes.page import plotly_file
from entroscope.client.result import MeasuredRun
from entroscope_workers import measure, measure_both

FOLDER = Path(__file__).parents[2] / "frontend/guide/figures"
TEXT, LINE, GRID = "#78838c", "#9aa5ad", "rgba(128, 140, 150, 0.22)"
ENTROPY, PRODUCTION, EXACT = "#1f9088", "#c9741c", "#8a949c"
GAIN, LOSS = "#3a9a57", "#d0553f"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
WIDTH = 720
SIGMA = "noise level \N{GREEK SMALL LETTER SIGMA} (units of the data)"
STEPS = (16, 32, 64, 128, 256)


@cache
def garments() -> dict[str, Any]:
    """Return the result of the bundled network with all settings left at their defaults."""
    return measure("fashion-mnist", {})


def fashion_mnist() -> Figure:
    """Entropy and production of the default run, its window shaded."""
    figure = curves(garments())
    shade(figure, garments()["windows"][0], axes=("", "2"))
    return figure


def four_points() -> Figure:
    """The four points on a line: the estimate on the exact curve."""
    return curves(measure("gaussian-mixture", {"trajectories": 1024}))


def steps() -> Figure:
    """The largest true error of the entropy, plain and corrected, against the number of levels."""
    plain: list[float] = []
    corrected: list[float] = []
    for count in STEPS:
        spec = {"trajectories": 8192, "schedule": {"steps": count}, "companions": 1}
        result = measure("gaussian-mixture", {"previews": None, **spec})
        curve = result["curves"]["classes"]
        sigma, exact = np.array(result["sigma"]), curve["exact"]
        rising = np.interp(
            np.log(sigma[::-1]), np.log(exact["sigma"][::-1]), exact["entropy"][::-1]
        )
        for name, errors in (("entropy", plain), ("entropy_combined", corrected)):
            errors.append(float(np.abs(np.array(curve[name]) - rising[::-1]).max()))
    figure = Figure()
    figure.add_scatter(x=STEPS, y=plain, name="plain", **marked(PRODUCTION))
    figure.add_scatter(x=STEPS, y=corrected, name="corrected by companions", **marked(ENTROPY))
    figure.update_xaxes(type="log", tickvals=STEPS, title="noise levels (number)")
    figure.update_yaxes(
        type="log",
        tickvals=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
        title="largest error of H (bits)",
    )
    return dressed(figure, 300, legend=True)


def redistribution() -> Figure:
    """What guidance at scale 3 adds to production and takes from it, over the garments."""
    spec = {"trajectories": 256, "guidance": {"scale": 3}, "previews": None}
    study = measure_both("fashion-mnist", spec)["studies"]["redistribution"]
    moved, sigma = study["redistributions"]["classes"], study["sigma"]
    low, middle, high = (np.array(moved[name], dtype=float) for name in ("low", "median", "high"))
    figure = Figure()
    for color, sign in ((GAIN, 1), (LOSS, -1)):
        part = np.maximum(sign * middle, 0) * sign
        figure.add_scatter(
            x=sigma, y=part, fill="tozeroy", fillcolor=faded(color), **line(color, 0)
        )
    figure.add_scatter(x=sigma, y=high, **line(LINE, 1))
    figure.add_scatter(x=sigma, y=low, fill="tonexty", fillcolor=faded(LINE), **line(LINE, 1))
    figure.add_scatter(x=sigma, y=middle, **line(TEXT, 2))
    noise_axis(figure)
    figure.update_yaxes(
        title="Δ production (bits per ln \N{GREEK SMALL LETTER SIGMA})",
        zeroline=True,
        zerolinecolor=LINE,
    )
    return dressed(figure, 300)


def commitment() -> Figure:
    """At which noise levels trajectories commit for good, to either threshold."""
    result = garments()
    study, sigma = result["studies"]["commitment"], result["sigma"]
    figure = Figure()
    for threshold, color in zip(study["thresholds"], (ENTROPY, PRODUCTION), strict=True):
        x, y = [], []
        for (high, low), count in zip(pairwise(sigma), threshold["counts"][1:], strict=True):
            x += [high, low]
            y += [count / study["n"] / math.log(high / low)] * 2
        name = f"above {threshold['above']} for good"
        figure.add_scatter(
            x=x, y=y, name=name, fill="tozeroy", fillcolor=faded(color), **line(color, 1.6)
        )
    noise_axis(figure)
    figure.update_yaxes(
        title="trajectories (share per ln \N{GREEK SMALL LETTER SIGMA})", rangemode="tozero"
    )
    shade(figure, result["windows"][0])
    return dressed(figure, 300, legend=True)


FIGURES: dict[str, Callable[[], Figure]] = {
    "fashion-mnist": fashion_mnist,
    "four-points": four_points,
    "steps": steps,
    "redistribution": redistribution,
    "commitment": commitment,
}


def curves(result: dict[str, Any]) -> Figure:
    """Return the Python client's figure of a result in the colours of the handbook."""
    figure = MeasuredRun(result).figure()
    for trace in figure.data:
        color = ENTROPY if trace.yaxis == "y" else PRODUCTION
        if trace.fill == "toself":
            trace.fillcolor = faded(color)
        else:
            exact = (trace.name or "").endswith("exact")
            trace.line.color = EXACT if exact else color
    figure.update_layout(yaxis_domain=(0.59, 1), yaxis2_domain=(0, 0.41))
    return dressed(figure, 540)


def shade(figure: Figure, window: dict[str, Any], axes: Sequence[str] = ("",)) -> None:
    """Shade the window and draw the peak, in each chart over its whole height.

    Args:
        axes: number of the axes of each chart, "" for the first.
    """
    low, peak, high = (window[f"sigma_{name}"] for name in ("low", "peak", "high"))
    for axis in axes:
        span = {"xref": f"x{axis}", "yref": f"y{axis} domain", "y0": 0, "y1": 1, "layer": "below"}
        figure.add_shape(x0=low, x1=high, fillcolor=faded(PRODUCTION, 0.11), line_width=0, **span)
        dotted = {"color": PRODUCTION, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=peak, x1=peak, line=dotted, **span)


def noise_axis(figure: Figure) -> None:
    """Give a figure the axis of noise levels, high ones on the left."""
    figure.update_xaxes(
        type="log", autorange="reversed", dtick=1, exponentformat="none", title=SIGMA
    )


def dressed(figure: Figure, height: int, legend: bool = False) -> Figure:
    """Return a figure with the looks that all figures share."""
    figure.update_xaxes(color=TEXT, gridcolor=GRID, linecolor=LINE, tickcolor=LINE, showline=True)
    figure.update_yaxes(color=TEXT, gridcolor=GRID, linecolor=LINE, tickcolor=LINE, showline=True)
    figure.update_layout(
        template="none",
        width=WIDTH,
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 14, "color": TEXT},
        margin={"l": 74, "r": 14, "t": 12, "b": 54},
        showlegend=legend,
        legend={
            "x": 0.99,
            "y": 1,
            "xanchor": "right",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
        },
    )
    return figure


def line(color: str, width: float) -> dict[str, Any]:
    return {"mode": "lines", "line": {"color": color, "width": width}}


def marked(color: str) -> dict[str, Any]:
    return {"mode": "lines+markers", "line": {"color": color, "width": 2}, "marker": {"size": 8}}


def faded(color: str, opacity: float = 0.22) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def svg(page: Page, figure: Figure) -> str:
    """Return a figure as SVG, coordinates to a tenth of a pixel."""
    text = page.evaluate(
        "async (figure) => { const {width, height} = figure.layout;"
        "const url = await Plotly.toImage(figure, {format: 'svg', width, height});"
        "return decodeURIComponent(url.slice(url.indexOf(',') + 1)); }",
        json.loads(figure.to_json()),
    )
    return re.sub(r' (d|transform)="[^"]*"', _rounded, text)


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"(\d+\.\d)\d+", r"\1", attribute[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome-stable"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=plotly_file())
        for name in parser.parse_args().only:
            text = svg(page, FIGURES[name]())
            (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")
            print(f"{name}.svg: {len(text) / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
