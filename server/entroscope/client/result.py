"""A result as a script wants it: arrays, a pandas frame, a figure, a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.guidance_interval import guided_spec
from entroscope.measurement.curves.result import curve_arrays

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeasuredCurve:
    """One curve over `sigma`, in bits; production is per unit of ln sigma. NaN where unknown.

    `..._combined` are the same means with less noise, by control variates.
    """

    entropy: Array
    entropy_se: Array
    entropy_step_error: Array
    cross_entropy: Array
    cross_entropy_se: Array
    production: Array
    production_se: Array
    entropy_combined: Array
    entropy_combined_se: Array
    production_combined: Array
    production_combined_se: Array


class MeasuredRun:
    """What a run has measured.

    Attributes:
        document: the result document, as the server (or `entroscope run`) gives it.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "MeasuredRun":
        """Return a result from a file, such as `entroscope run SPEC --out FILE` writes."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result document to a file."""
        Path(path).write_text(json.dumps(self.document), encoding="utf-8")

    @property
    def sigma(self) -> Array:
        """Noise levels, highest first."""
        return self._arrays["sigma"]

    @cached_property
    def curves(self) -> dict[str, MeasuredCurve]:
        """The curves by key."""
        names = [field.name for field in fields(MeasuredCurve)]
        return {
            key: MeasuredCurve(**{name: self._arrays[f"{key}:{name}"] for name in names})
            for key in self.document["curves"]
        }

    @property
    def exact(self) -> dict[str, dict[str, Array]]:
        """The exact answers that are known, by key: "entropy" and "production" over "sigma"."""
        found = {key: curve.get("exact") for key, curve in self.document["curves"].items()}
        return {
            key: {name: np.array(values, dtype=np.float64) for name, values in own.items()}
            for key, own in found.items()
            if own is not None
        }

    @property
    def windows(self) -> dict[str, dict[str, Any]]:
        """The window of each curve by key: peak and central share, with errors."""
        return {window["curve"]: window for window in self.document["windows"]}

    def guided_spec(self, scale: float = 2.0, **guidance: Any) -> dict[str, Any]:
        """Return the spec of the same run, guided inside the interval that this one suggests.

        Args:
            guidance: further fields of the spec's `guidance`.
        Raises:
            SpecError: this run suggests no interval.
        """
        return guided_spec(self.document, scale, **guidance)

    def frame(self) -> "DataFrame":
        """Return all curves as one long frame: curve, sigma, n, entropy, ..."""
        import pandas

        parts = []
        for key, curve in self.curves.items():
            columns = {field.name: getattr(curve, field.name) for field in fields(curve)}
            n = self.document["curves"][key]["n"]
            parts.append(pandas.DataFrame({"curve": key, "sigma": self.sigma, "n": n, **columns}))
        return pandas.concat(parts, ignore_index=True)

    def figure(self, **options: Any) -> "Figure":
        """Return a Plotly figure; the options are those of `figures.result_figure`."""
        from entroscope.client.figures import result_figure

        return result_figure(self.document, **options)

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        return curve_arrays(self.document)
