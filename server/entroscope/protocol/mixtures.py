"""Parameters of the exact Gaussian mixtures: what a spec's `params` may hold for them."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from entroscope.protocol.models import PositiveFloat, ScheduleDefaults

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
MAX_COMPONENTS = 4096
MAX_DIMENSION = 16384
#: Largest number of coordinates of all means together (32 MiB of float64).
MAX_COORDINATES = 2**22

Array = NDArray[np.float64]


class _Kind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def means(self) -> Array:
        """Return the component means, (components, dimension)."""
        raise NotImplementedError

    def weights(self) -> Array:
        """Return the component priors, (components,), summing to 1."""
        return np.full(len(self.labels()), 1 / len(self.labels()))

    def labels(self) -> tuple[str, ...]:
        """Return the name of each component."""
        raise NotImplementedError

    def spread(self) -> float:
        """Return the largest distance of a mean from the mean of means."""
        means = self.means()
        return float(np.linalg.norm(means - means.mean(0), axis=1).max())


class Points(_Kind):
    """Components at given places with one common standard deviation."""

    kind: Literal["points"] = "points"
    means_: Annotated[
        list[Annotated[list[Finite], Field(min_length=1, max_length=MAX_DIMENSION)]],
        Field(min_length=2, max_length=MAX_COMPONENTS, alias="means"),
    ] = [[-8.0], [-4.0], [6.0], [8.0]]
    std: Annotated[float, Field(gt=0, le=1e6)] = 0.5
    priors: list[PositiveFloat] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        widths = {len(mean) for mean in self.means_}
        if len(widths) != 1:
            raise ValueError(f"means must all have one dimension, got {sorted(widths)}")
        if self.priors is not None and len(self.priors) != len(self.means_):
            raise ValueError(f"priors needs {len(self.means_)} weights, got {len(self.priors)}")
        return self

    def means(self) -> Array:
        return np.array(self.means_, dtype=np.float64)

    def weights(self) -> Array:
        weights = np.ones(len(self.means_)) if self.priors is None else np.array(self.priors)
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def labels(self) -> tuple[str, ...]:
        places = ["(" + ", ".join(f"{v:g}" for v in mean) + ")" for mean in self.means_]
        if len(self.means_[0]) == 1:
            places = [f"{mean[0]:g}" for mean in self.means_]
        if len(self.means_[0]) > 3 or len(set(places)) < len(places):
            return tuple(f"component {index}" for index in range(len(self.means_)))
        return tuple(places)


class Pair(_Kind):
    """Two components at +offset and -offset in every coordinate, standard deviation 1."""

    kind: Literal["pair"] = "pair"
    dimension: Annotated[int, Field(ge=1, le=MAX_DIMENSION)] = 64
    offset: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    std: Annotated[float, Field(gt=0, le=1e6)] = 1.0

    def means(self) -> Array:
        mean = np.full(self.dimension, self.offset)
        return np.stack([mean, -mean])

    def labels(self) -> tuple[str, ...]:
        return ("plus", "minus")


class Random(_Kind):
    """Components at random places, drawn once from the seed."""

    kind: Literal["random"] = "random"
    components: Annotated[int, Field(ge=2, le=MAX_COMPONENTS)] = 1000
    dimension: Annotated[int, Field(ge=1, le=MAX_DIMENSION)] = 64
    spread_: Annotated[float, Field(gt=0, le=1e6, alias="spread")] = 4.0
    std: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0

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


MixtureParams = Annotated[Points | Pair | Random, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Points | Pair | Random] = TypeAdapter(MixtureParams)


def mixture_params(params: dict[str, Any]) -> Points | Pair | Random:
    """Check the params of a mixture; no params at all is the mixture at -8, -4, 6, 8.

    Raises:
        pydantic.ValidationError: naming the field that is off.
    """
    return _ADAPTER.validate_python({"kind": "points"} | params)


def mixture_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mixture's params."""
    return _ADAPTER.json_schema()


def mixture_schedule(params: Points | Pair | Random) -> ScheduleDefaults:
    """Return levels from where nothing is decided (16 times the spread) to inside a component."""
    return ScheduleDefaults(
        steps=64, sigma_max=16 * max(params.spread(), params.std), sigma_min=0.1 * params.std
    )
