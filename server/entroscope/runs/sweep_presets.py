"""Sweeps that are ready to be sent: the figures of the theory, each within a minute on one core."""

import math
from typing import Any

from entroscope.protocol.presets import RunPreset

Document = dict[str, Any]

#: Dimension, trajectories and largest batch: the state of a batch should fit a processor's cache.
SPECIATION = ((10, 1024, 1024), (100, 1024, 1024), (1000, 1024, 128), (10000, 512, 32))
SPECIATION_STEPS = 128
#: Beyond 10 sqrt(d) nothing is decided; the margin keeps what lies above the grid below 0.01 bits.
SIGMA_MAX_OVER_ROOT = 16
TREE_DIMENSION = 64
RATIOS = (1.0, 4.0, 16.0, 64.0)
MODEL = "gaussian-mixture"
#: What each costs: pairs (sample, label, sigma), and the time of one over that of a pair of the
#: model as it is offered.
COSTS = {
    "speciation-vp": (917_504, 23.5),
    "speciation-ve": (917_504, 23.5),
    "four-point": (4_194_304, 1.0),
    "two-scales": (6_291_456, 1.5),
}
#: After the studies of the papers.
THEORY_ORDER = 1000


def sweep_presets() -> list[Document]:
    """Return name, title, explanation, axis and the body of POST /api/sweeps of each."""
    return [_speciation_vp(), _speciation_ve(), _four_point(), _two_scales()]


def theory_presets() -> tuple[RunPreset, ...]:
    """Return the same as presets beside those of the papers."""
    return tuple(
        RunPreset(
            name=preset["name"],
            title=preset["title"],
            description=preset["explanation"],
            order=THEORY_ORDER + place,
            source="Theory of speciation, on exact mixtures",
            model=MODEL,
            family=MODEL,
            how_to_get=("entroscope work --models gaussian-mixture",),
            spec=preset["sweep"]["spec"],
            vary=preset["sweep"]["vary"],
            axis=preset["axis"],
            evaluations=COSTS[preset["name"]][0],
            pair_cost=COSTS[preset["name"]][1],
        )
        for place, preset in enumerate(sweep_presets())
    )


def _speciation_vp() -> Document:
    return {
        "name": "speciation-vp",
        "title": "Speciation in VP time",
        "explanation": "Two components at +-1 in every coordinate, in 10 to 10000 dimensions. In "
        "the variance-preserving process they part at t = 0.5 ln d, always with 0.514 bits left "
        "and within the same width of t: on t / (0.5 ln d) the transition sharpens with d.",
        "axis": "vp_time",
        "sweep": _speciation("Speciation in VP time"),
    }


def _speciation_ve() -> Document:
    return {
        "name": "speciation-ve",
        "title": "Speciation in sigma",
        "explanation": "The same runs over the noise level of the variance-exploding process: "
        "the components part at sigma = sqrt d, and the band of 0.4 to 0.6 bits widens as "
        "0.305 sqrt d: no sharp transition.",
        "axis": "sigma",
        "sweep": _speciation("Speciation in sigma"),
    }


def _speciation(title: str) -> Document:
    vary = [
        {
            "params": {"dimension": dimension},
            "schedule": {"sigma_max": round(SIGMA_MAX_OVER_ROOT * math.sqrt(dimension), 1)},
            "trajectories": trajectories,
            "batch_sizes": {"first": 32, "largest": largest},
        }
        for dimension, trajectories, largest in SPECIATION
    ]
    spec = {
        "model": "gaussian-mixture",
        "params": {"kind": "pair", "offset": 1.0, "std": 1.0},
        "schedule": {"steps": SPECIATION_STEPS, "sigma_min": 0.1},
    }
    return {"schema": 1, "title": title, "spec": spec, "vary": vary}


def _four_point() -> Document:
    partitions = {
        "classes": None,
        "sides": [_group("left", "-8", "-4"), _group("right", "6", "8")],
        "left": [_group("-8", "-8"), _group("-4", "-4")],
        "right": [_group("6", "6"), _group("8", "8")],
        "rest": "each-vs-rest",
    }
    spec = {
        "model": "gaussian-mixture",
        "params": {"kind": "points", "means": [[-8.0], [-4.0], [6.0], [8.0]], "std": 0.5},
        "partitions": partitions,
        "schedule": {"steps": 256},
        "trajectories": 4096,
    }
    title = "All decisions of four points"
    return {
        "name": "four-point",
        "title": title,
        "explanation": "The mixture at -8, -4, 6, 8 and the production of all of its decisions, "
        "from one set of trajectories: the sides part first, then the left pair, then the right "
        "pair; each class against the rest, and the profile of every class.",
        "axis": "sigma",
        "sweep": {"schema": 1, "title": title, "spec": spec, "vary": [{}]},
    }


def _two_scales() -> Document:
    tree = [
        {"name": "first", "groups": [_group("first a", 0), _group("first b", 1)]},
        {"name": "second", "groups": [_group("second a", 2), _group("second b", 3)]},
    ]
    spec = {
        "model": "gaussian-mixture",
        "params": {"kind": "tree", "dimension": TREE_DIMENSION},
        "partitions": {"classes": None, "tree": tree},
        "schedule": {"steps": 192},
        "trajectories": 2048,
    }
    title = "Two scales, two speciation times"
    return {
        "name": "two-scales",
        "title": title,
        "explanation": "Two pairs of components, the pairs further apart than what is in them by "
        "a ratio of 1, 4, 16 and 64. Each decision has a speciation time of its own: as the ratio "
        "grows one bit falls first, then the other, and between them a plateau of one bit opens.",
        "axis": "sigma",
        "sweep": {
            "schema": 1,
            "title": title,
            "spec": spec,
            "vary": [{"params": {"offsets": [ratio, 1.0]}} for ratio in RATIOS],
        },
    }


def _group(name: str, *labels: str | int) -> Document:
    return {"name": name, "labels": list(labels)}
