"""Parameters of the exact Gaussian mixtures: what a spec's `params` may hold for them."""

from itertools import product
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from entroscope.protocol.models import PositiveFloat, ScheduleDefaults
from entroscope.protocol.partitions import Group, Preset
from entroscope.protocol.strict import join_lines

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
MAX_COMPONENTS = 4096
MAX_DIMENSION = 16384
#: Largest number of coordinates of all means together (32 MiB of float64).
MAX_COORDINATES = 2**22
#: A component with a smaller share of all weights is as good as none.
LEAST_SHARE = 1e-100
#: The two sides of a tree's decisions, level by level: a label has one letter or digit of each.
SIDES = ("AB", "12", "ab", "34", "cd", "56")

Array = NDArray[np.float64]


class _Kind(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_extra=join_lines
    )

    def means(self) -> Array:
        """Return the component means, (components, dimension)."""
        raise NotImplementedError

    def weights(self) -> Array:
        """Return the component priors, (components,), summing to 1."""
        return np.full(len(self.labels()), 1 / len(self.labels()))

    def labels(self) -> tuple[str, ...]:
        """Return the name of each component."""
        raise NotImplementedError

    def presets(self) -> tuple[Preset, ...]:
        """Return the partitions worth measuring, besides all components."""
        return ()

    def spread(self) -> float:
        """Return the largest distance of a mean from the mean of means."""
        means = self.means()
        return float(np.linalg.norm(means - means.mean(0), axis=1).max())


class Points(_Kind):
    """Components at listed means with one common standard deviation."""

    kind: Literal["points"] = "points"
    """Components at the means that are listed."""

    means_: Annotated[
        list[Annotated[list[Finite], Field(min_length=1, max_length=MAX_DIMENSION)]],
        Field(min_length=2, max_length=MAX_COMPONENTS, alias="means"),
    ] = [[-8.0], [-4.0], [6.0], [8.0]]
    """Mean of each component, a list of its coordinates (units of the data)."""

    std: Annotated[float, Field(gt=0, le=1e6)] = 0.5
    """Standard deviation of every component in every coordinate (units of the data)."""

    priors: list[PositiveFloat] | None = None
    """Weight of each component, in the order of the means; equal where left out. They need not sum
    to 1."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        widths = {len(mean) for mean in self.means_}
        if len(widths) != 1:
            raise ValueError(f"means must all have one dimension, got {sorted(widths)}")
        if self.priors is not None and len(self.priors) != len(self.means_):
            raise ValueError(f"priors needs {len(self.means_)} weights, got {len(self.priors)}")
        if self.priors is not None and not min(self.priors) > LEAST_SHARE * sum(self.priors):
            raise ValueError(
                f"every share of priors must be > {LEAST_SHARE:g}, got weights from "
                f"{min(self.priors):g} to {max(self.priors):g}"
            )
        return self

    def means(self) -> Array:
        return np.array(self.means_, dtype=np.float64)

    def weights(self) -> Array:
        weights = np.ones(len(self.means_)) if self.priors is None else np.array(self.priors)
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def labels(self) -> tuple[str, ...]:
        names = ["(" + ", ".join(f"{v:g}" for v in mean) + ")" for mean in self.means_]
        if len(self.means_[0]) == 1:
            names = [f"{mean[0]:g}" for mean in self.means_]
        if len(self.means_[0]) > 3 or len(set(names)) < len(names):
            return tuple(f"component {index}" for index in range(len(self.means_)))
        return tuple(names)


class Pair(_Kind):
    """Two components at +offset and -offset in every coordinate, standard deviation 1."""

    kind: Literal["pair"] = "pair"
    """Two Gaussians at +offset and -offset in every coordinate."""

    dimension: Annotated[int, Field(ge=1, le=MAX_DIMENSION)] = 64
    """Number of coordinates d. The decision falls at noise levels in proportion to its square
    root."""

    offset: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Distance of each mean from 0 in every coordinate (units of the data)."""

    std: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Standard deviation of every component in every coordinate (units of the data)."""

    def means(self) -> Array:
        mean = np.full(self.dimension, self.offset)
        return np.stack([mean, -mean])

    def labels(self) -> tuple[str, ...]:
        return ("plus", "minus")


class Random(_Kind):
    """Components with random means, drawn once from the seed."""

    kind: Literal["random"] = "random"
    """Components with means drawn from a Gaussian."""

    components: Annotated[int, Field(ge=2, le=MAX_COMPONENTS)] = 1000
    """Number of components; each is a label."""

    dimension: Annotated[int, Field(ge=1, le=MAX_DIMENSION)] = 64
    """Number of coordinates of a sample."""

    spread_: Annotated[float, Field(gt=0, le=1e6, alias="spread")] = 4.0
    """Standard deviation of the means in every coordinate (units of the data)."""

    std: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Standard deviation of every component in every coordinate (units of the data)."""

    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    """Start of the random numbers that the means are drawn with; the seed of the run is another."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.components * self.dimension > MAX_COORDINATES:
            raise ValueError(
                f"components x dimension must be <= {MAX_COORDINATES}, "
                f"got {self.components * self.dimension}"
            )
        return self

    def means(self) -> Array:
        stream = np.random.Generator(np.random.Philox(key=self.seed))
        return self.spread_ * stream.standard_normal((self.components, self.dimension))

    def labels(self) -> tuple[str, ...]:
        return tuple(f"component {index}" for index in range(self.components))


class Tree(_Kind):
    """Components at +-offset_1 v_1 +-offset_2 v_2 ..., a binary decision for every offset.

    The v_l are orthogonal, |v_l|^2 = dimension (rows of the cosine transform, the first all ones),
    so that each decision is one between two Gaussians: r_l = offset_l sqrt(dimension / (std^2 +
    sigma^2)).
    """

    kind: Literal["tree"] = "tree"
    """A tree of independent decisions between two sides, one a level."""

    dimension: Annotated[int, Field(ge=2, le=MAX_DIMENSION)] = 64
    """Number of coordinates, at least the number of offsets."""

    offsets: Annotated[
        list[Annotated[PositiveFloat, Field(le=1e6)]], Field(min_length=2, max_length=len(SIDES))
    ] = [4.0, 1.0]
    """Distance of the two sides of each level from their middle, root mean square over coordinates
    (units of the data); the largest is decided first."""

    std: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Standard deviation of every component in every coordinate (units of the data)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dimension < len(self.offsets):
            raise ValueError(
                f"dimension must be >= the number of offsets, {len(self.offsets)}, "
                f"got {self.dimension}"
            )
        return self

    def means(self) -> Array:
        level = np.arange(len(self.offsets))[:, None]
        rows = np.cos(np.pi * level * (np.arange(self.dimension) + 0.5) / self.dimension)
        rows[1:] *= np.sqrt(2)
        signs = np.array(list(product((1, -1), repeat=len(self.offsets))))
        return np.asarray((signs * np.array(self.offsets)) @ rows)

    def labels(self) -> tuple[str, ...]:
        return tuple("".join(sides) for sides in product(*SIDES[: len(self.offsets)]))

    def presets(self) -> tuple[Preset, ...]:
        tree = Preset(name="tree", title="tree of all levels", partition=self._below(""))
        return (tree, *(self._level(level) for level in range(len(self.offsets))))

    def _below(self, path: str) -> list[Group]:
        """Return the groups inside the group of the components whose labels begin with `path`."""
        last = len(path) == len(self.offsets) - 1
        names = [path + side for side in SIDES[len(path)]]
        if last:
            return [Group(name=name, labels=[name]) for name in names]
        return [Group(name=name, groups=self._below(name)) for name in names]

    def _level(self, level: int) -> Preset:
        groups = [
            Group(name=side, labels=[label for label in self.labels() if label[level] == side])
            for side in SIDES[level]
        ]
        title = f"level {level + 1} alone: {' / '.join(SIDES[level])}"
        return Preset(name=f"level-{level + 1}", title=title, partition=groups)


AnyParams = Points | Pair | Random | Tree
_ADAPTER: TypeAdapter[AnyParams] = TypeAdapter(Annotated[AnyParams, Field(discriminator="kind")])


def mixture_params(params: dict[str, Any]) -> AnyParams:
    """Check the params of a mixture; no params at all is the mixture at -8, -4, 6, 8.

    Raises:
        pydantic.ValidationError: naming the field that is off.
    """
    return _ADAPTER.validate_python({"kind": "points"} | params)


def mixture_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mixture's params."""
    return _ADAPTER.json_schema()


def mixture_schedule(params: AnyParams) -> ScheduleDefaults:
    """Return levels from where nothing is decided (16 times the spread) to inside a component."""
    return ScheduleDefaults(
        steps=64, sigma_max=16 * max(params.spread(), params.std), sigma_min=0.1 * params.std
    )
