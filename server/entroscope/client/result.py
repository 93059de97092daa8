"""A result as a script wants it: arrays, a pandas frame, a figure, a file."""

import json
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.guidance_interval import guided_spec
from entroscope.measurement.curves.result import curve_arrays
from entroscope.protocol.quantities import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure

Array = NDArray[np.float64]


class MeasuredCurve:
    """One curve over `sigma`: an array for each of `quantities.COLUMNS`, as an attribute.

    `entropy` and `cross_entropy` are in bits, `production` in bits per unit of ln sigma, `..._se`
    their standard errors, `entropy_step_error` the size of the error of the steps, `..._combined`
    the same means with less noise, by control variates. NaN where unknown.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.__dict__.update(arrays)

    def __getattr__(self, name: str) -> Array:
        raise AttributeError(f"a curve has {', '.join(self.__dict__)}, not {name!r}")


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
        names = [column.name for column in COLUMNS]
        return {
            key: MeasuredCurve({name: self._arrays[f"{key}:{name}"] for name in names})
            for key in self.document["curves"]
        }

    @property
    def exact(self) -> dict[str, dict[str, Array]]:
        """The exact answers that are known, by key: "entropy" and "production" over "sigma"."""
        return self._parts("exact")

    @property
    def pruning(self) -> dict[str, dict[str, Array]]:
        """What pruning did, by key: "dropped", the mean posterior mass, 0 to 1, of the labels that
        it gave up, and "entropy_bound", the most it may have moved the entropy by, in bits."""
        return self._parts("pruning")

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
            n = self.document["curves"][key]["n"]
            levels = {"curve": key, "sigma": self.sigma, "n": n}
            parts.append(pandas.DataFrame({**levels, **vars(curve)}))
        return pandas.concat(parts, ignore_index=True)

    def figure(self, **options: Any) -> "Figure":
        """Return a Plotly figure; the options are those of `figures.result_figure`."""
        from entroscope.client.figures import result_figure

        return result_figure(self.document, **options)

    def _parts(self, part: str) -> dict[str, dict[str, Array]]:
        """Return the arrays of a part that only some curves have, by key."""
        curves = {key: curve.get(part) for key, curve in self.document["curves"].items()}
        return {
            key: {name: np.array(values, dtype=np.float64) for name, values in arrays.items()}
            for key, arrays in curves.items()
            if arrays is not None
        }

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        return curve_arrays(self.document)
