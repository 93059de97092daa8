"""What a user says of one model: which family it is of, and where its files are."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from entroscope.protocol.slugs import SLUG_PATTERN


class Entry(BaseModel):
    """One model, as `entroscope models add` writes it and `models.toml` keeps it.

    Attributes:
        name: what runs call the model; a slug.
        family: a file of models/, e.g. "edm2".
        path: weights (safetensors), or the folder of a diffusers model.
        unconditional: weights of a separate unconditional network.
        config: folder of the configurations that a single file of weights lacks.
        labels: a file with one name a line, or a set that comes along: "imagenet", "cifar10".
        vae: folder of the decoder of latents (diffusers' AutoencoderKL).
        dtype: in which the network computes; the family's choice for the device where not given.
        options: what only this family understands; each family refuses names it does not know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=SLUG_PATTERN, max_length=60)]
    family: str
    path: Path | None = None
    unconditional: Path | None = None
    config: Path | None = None
    labels: str | None = None
    vae: Path | None = None
    dtype: Literal["float32", "float16", "bfloat16"] | None = None
    title: str | None = None
    description: str | None = None
    options: dict[str, Any] = {}

    def need_path(self) -> Path:
        """Return where the weights are.

        Raises:
            ValueError: the entry does not say, or there is nothing.
        """
        if self.path is None:
            raise ValueError(f"model {self.name!r}: family {self.family!r} needs a path")
        if not self.path.exists():
            raise ValueError(f"model {self.name!r}: path {str(self.path)!r} does not exist")
        return self.path

    def without_options(self) -> Self:
        """Return the entry itself, where its family understands no options.

        Raises:
            ValueError: it has some.
        """
        if self.options:
            raise ValueError(
                f"model {self.name!r}: family {self.family!r} has no options,"
                f" got {sorted(self.options)}"
            )
        return self
