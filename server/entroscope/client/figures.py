"""A result as a Plotly figure, with the page's axes, colours and texts (figure.json)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.axes import Axis, Unit, in_unit, place
from entroscope.paths import page_folder
from entroscope.protocol.quantities import ENTROPY, PRODUCTION, Quantity

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Array = NDArray[np.float64]
Layout = dict[str, Any]

#: What is behind the charts, where there is no page.
BACKGROUND = {"light": "#ffffff", "dark": "#0b0f13"}
#: The quantities that have a chart, where it lies, from below, and the names of its axes.
CHARTS = {ENTROPY: ((0.55, 1.0), ("x", "y")), PRODUCTION: ((0.0, 0.45), ("x2", "y2"))}

#: What the names of an estimate, its standard error and what is left beside it end in.
ENDS = ("", "_se", "_step_error")

#: The exact answer, on a light or dark background.
EXACT_COLOR = "#7d8790"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of one result, and what it is called."""

    result: Mapping[str, Any]
    key: str
    title: str


@lru_cache
def page_layout() -> Layout:
    """Return the one description of the figure that page and client share."""
    layout: Layout = json.loads((page_folder() / "figure.json").read_text(encoding="utf-8"))
    return layout


def result_figure(
    result: Mapping[str, Any],
    *,
    curves: Sequence[str] | None = None,
    unit: str = "bits",
    axis: str = "sigma",
    theme: str = "light",
) -> "Figure":
    """Return entropy above production over the noise axis, each with its 95 % band.

    Curves are the best estimates, and bands hold 1.96 standard errors and what is left beside them;
    of results without best estimates, they are the plain means, as in the page.

    Args:
        curves: keys of the curves to show; None is all.
        unit: "bits" or "nats".
        axis: "sigma", "ln_sigma", "log_snr" or "vp_time".
        theme: "light" or "dark".
    """
    lines = [Line(result, key, _title(result, key)) for key in _chosen(result, curves)]
    return _figure(lines, unit, axis, theme)


def sweep_figure(
    results: Sequence[Mapping[str, Any]],
    vary: Sequence[Mapping[str, Any]],
    *,
    curves: Sequence[str] | None = None,
    unit: str = "bits",
    axis: str = "sigma",
    theme: str = "light",
) -> "Figure":
    """Return the curves of several runs in one figure, each named by what its run changes.

    Args:
        results: of the runs, in the order of `vary`; the rest is as in `result_figure`.
    """
    lines = []
    for result, name in zip(results, change_names(vary), strict=True):
        keys = _chosen(result, curves)
        several = len(keys) > 1
        titles = [f"{name}: {_title(result, key)}" if several else name for key in keys]
        lines += [Line(result, *each) for each in zip(keys, titles, strict=True)]
    return _figure(lines, unit, axis, theme)


def change_names(vary: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what each merge patch changes, as short as it stays different from the others."""
    changes = [[f"{name} = {value}" for name, value in _leaves(patch)] for patch in vary]
    first = [texts[0] if texts else "unchanged" for texts in changes]
    if len(set(first)) == len(first):
        return first
    return [", ".join(texts) or "unchanged" for texts in changes]


def _leaves(patch: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in patch.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, name)
        else:
            yield name, value


def _chosen(result: Mapping[str, Any], curves: Sequence[str] | None) -> list[str]:
    keys = list(result["curves"]) if curves is None else list(curves)
    if unknown := [key for key in keys if key not in result["curves"]]:
        raise ValueError(f"no curve {unknown[0]!r}; there are {', '.join(result['curves'])}")
    return keys


def _title(result: Mapping[str, Any], key: str) -> str:
    return str(result["curves"][key]["title"])


def _figure(lines: Sequence[Line], unit: str, axis: str, theme: str) -> "Figure":
    from plotly.graph_objects import Figure

    if unit not in list(Unit):
        raise ValueError(f"unit must be 'bits' or 'nats', got {unit!r}")
    settings = page_layout()
    traces = [
        trace
        for position, line in enumerate(lines)
        for trace in (
            *_traces(line, _color(settings, position), Unit(unit), Axis(axis), f"{position}"),
            *_exact_traces(line, Unit(unit), Axis(axis), f"{position}"),
        )
    ]
    layout = _layout(settings, unit, axis, theme, len(lines))
    return Figure({"data": traces, "layout": layout | {"annotations": [_legend(lines)]}})


def _legend(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the sentence above the charts that says what the bands hold."""
    curves = [line.result["curves"][line.key] for line in lines]
    band = page_layout()["band"]
    names = {_band_text(curve) for curve in curves}
    text = " · ".join(dict.fromkeys(band[name] for name in sorted(names)))
    above = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": 1}
    return {**above, "yanchor": "bottom", "text": text, "showarrow": False}


def _band_text(curve: Mapping[str, Any]) -> str:
    """Return the key of figure.json's sentence on the band of a curve."""
    if not is_combined(curve):
        return "plain_text"
    if np.isnan(_array(curve, f"{ENTROPY.name}_combined_step_error")).all():
        return "unmeasured_text"
    return "pruned_text" if curve.get("pruning") else "text"


def _exact_traces(line: Line, unit: Unit, axis: Axis, group: str) -> Iterator[dict[str, Any]]:
    """Yield the exact answer over the estimate, where it is known."""
    exact = line.result["curves"][line.key].get("exact")
    sigma = np.array(exact["sigma"] if exact else [])
    for quantity in CHARTS if exact else ():
        y = in_unit(np.array(exact[quantity.name]), quantity, sigma, unit, axis)
        drawn = _line(quantity, place(sigma, axis), y, EXACT_COLOR, group, f"{line.title}, exact")
        yield drawn | {"line": {"color": EXACT_COLOR, "width": 1.2, "dash": "dot"}}


def _traces(line: Line, color: str, unit: Unit, axis: Axis, group: str) -> list[dict[str, Any]]:
    sigma = np.array(line.result["sigma"], dtype=np.float64)
    x = place(sigma, axis)
    traces = []
    for quantity in CHARTS:
        y, half = (
            in_unit(values, quantity, sigma, unit, axis)
            for values in estimate(line.result["curves"][line.key], quantity)
        )
        traces.append(_band(quantity, x, y, half, color, group))
        traces.append(_line(quantity, x, y, color, group, line.title))
    return traces


def estimate(curve: Mapping[str, Any], quantity: Quantity) -> tuple[Array, Array]:
    """Return the best estimate of a quantity and half of its 95 % band, each (steps,), in bits.

    Where a result has none (of a version before), they are the plain mean and its standard errors,
    for the entropy with the error of the steps. What was not measured is left out of the band.
    """
    name = f"{quantity.name}_combined" if is_combined(curve) else quantity.name
    values, noise, left = (_array(curve, f"{name}{end}") for end in ENDS)
    times = float(page_layout()["band"]["standard_errors"])
    return values, times * np.nan_to_num(noise) + np.nan_to_num(left)


def is_combined(curve: Mapping[str, Any]) -> bool:
    """Return whether a curve has its best estimates with all of their error."""
    names = (f"{quantity.name}_combined{end}" for quantity in CHARTS for end in ENDS)
    return all(curve.get(name) for name in names) and any(
        value is not None for value in curve[f"{ENTROPY.name}_combined"]
    )


def _array(curve: Mapping[str, Any], name: str) -> Array:
    """Return an array of a curve, with NaN where nothing is known; NaN alone where it is absent."""
    values = curve.get(name) or [None] * len(curve[ENTROPY.name])
    return np.array(values, dtype=np.float64)


def _band(
    quantity: Quantity, x: Array, y: Array, half: Array, color: str, group: str
) -> dict[str, Any]:
    known = np.isfinite(y)
    x, low, high = x[known], (y - half)[known], (y + half)[known]
    return {
        "type": "scatter",
        "x": np.concatenate([x, x[::-1]]),
        "y": np.concatenate([high, low[::-1]]),
        "fill": "toself",
        "fillcolor": _faded(color, 0.26),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": group,
        **_axes(quantity),
    }


def _line(
    quantity: Quantity, x: Array, y: Array, color: str, group: str, title: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": title,
        "line": {"color": color, "width": 2.4},
        "showlegend": quantity == ENTROPY,
        "legendgroup": group,
        **_axes(quantity),
    }


def _axes(quantity: Quantity) -> dict[str, str]:
    _, (x, y) = CHARTS[quantity]
    return {"xaxis": x, "yaxis": y}


def _layout(settings: Layout, unit: str, axis: str, theme: str, num_curves: int) -> Layout:
    """Return the layouts of both charts as one, as figure.json says to merge them."""
    whole: Layout = {"height": 720, "showlegend": num_curves > 1}
    per = settings["axes"][axis]["per"]
    for quantity, (domain, (x, y)) in CHARTS.items():
        chart = merge(
            settings["common"],
            settings[theme]["layout"],
            settings[quantity.name]["layout"],
            {"xaxis": settings["axes"][axis]["layout"]},
        )
        text = chart["yaxis"]["title"]["text"].replace("{unit}", unit).replace("{per}", per)
        chart["yaxis"]["title"]["text"] = text
        free: Layout = {"fixedrange": False}
        x_axis = merge(chart.pop("xaxis"), free, {"anchor": y})
        y_axis = merge(chart.pop("yaxis"), free, {"anchor": x, "domain": domain})
        if x != "x":
            x_axis["matches"] = "x"
        whole = merge(chart, whole, {f"xaxis{x[1:]}": x_axis, f"yaxis{y[1:]}": y_axis})
    back = {"paper_bgcolor": BACKGROUND[theme], "plot_bgcolor": BACKGROUND[theme]}
    return merge(whole, back, {"dragmode": "zoom", "margin": {"t": 30}})


def merge(*objects: Mapping[str, Any]) -> Layout:
    """Return the deep merge of JSON objects; the later one wins."""
    merged: Layout = {}
    for item in objects:
        for key, value in item.items():
            if isinstance(value, Mapping):
                value = merge(merged[key] if isinstance(merged.get(key), Mapping) else {}, value)
            merged[key] = value
    return merged


def _color(settings: Layout, position: int) -> str:
    colorway = settings["colorway"]
    return str(colorway[position % len(colorway)])


def _faded(color: str, opacity: float) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
