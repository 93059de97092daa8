"""Networks of Karras et al. on disk: weights in NAME.safetensors, constructor's arguments beside.

The arguments are JSON: {"class_name": ..., "config": {...}} in NAME.json, as `models import` writes
them, or the value of "config" in the metadata of the weights.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from entroscope_workers.models.checkpoints.shapes import check_shapes

Config = TypeVar("Config", bound="NetworkConfig")
Network = TypeVar("Network", bound=nn.Module)
MAX_CHANNELS = 4096
Multiple = Annotated[int, Field(ge=1, le=64)]


class NetworkConfig(BaseModel):
    """What the constructors of EDM's and of EDM2's networks have in common.

    Attributes:
        architecture: what messages call it.
        img_resolution: pixels a side; of latents, where the network is one of latents.
        label_dim: number of classes; 0 is an unconditional network.
        sigma_data: root mean square of the data.
        model_channels: channels that `channel_mult` multiplies, level by level, finest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    architecture: ClassVar[str]

    img_resolution: int = Field(ge=8, le=512)
    img_channels: int = Field(ge=1, le=64)
    label_dim: int = Field(default=0, ge=0, le=100_000)
    use_fp16: bool = False
    sigma_data: float = Field(default=0.5, gt=0, allow_inf_nan=False)

    model_channels: int = Field(ge=1, le=MAX_CHANNELS)
    channel_mult: tuple[Multiple, ...] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _every_level_halves_evenly(self) -> Self:
        halvings = len(self.channel_mult) - 1
        if self.img_resolution % 2**halvings:
            raise ValueError(f"img_resolution {self.img_resolution} must halve {halvings} times")
        return self

    @property
    def channels(self) -> list[int]:
        """Channels of each level, finest first."""
        return [self.model_channels * mult for mult in self.channel_mult]

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.img_channels, self.img_resolution, self.img_resolution)


@dataclass(frozen=True, slots=True)
class NetworkFile(Generic[Config]):
    """What a file of weights holds.

    Attributes:
        digest: SHA-256 of the weights, in hexadecimal.
    """

    path: Path
    config: Config
    weights: dict[str, Tensor]
    digest: str


def read_network(path: Path, class_name: str, kind: type[Config]) -> NetworkFile[Config]:
    """Return the weights of a network, in float32, and the arguments it is built from.

    Args:
        class_name: what published checkpoints call the network.
        kind: the arguments that the network takes.
    Raises:
        ValueError: the file is missing, corrupt or of another network.
    """
    if path.suffix in {".pkl", ".pickle"}:
        raise ValueError(f"{path}: expected safetensors, found a pickle: import it first")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        weights = safetensors.torch.load_file(path)
        with safe_open(path, "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: expected weights in safetensors: {error}") from error
    source, document = _arguments(path, metadata)
    written = document.get("class_name", class_name)
    if written != class_name:
        raise ValueError(f"{source}: expected a network of class {class_name!r}, found {written!r}")
    config = _checked(document.get("config"), kind, source)
    return NetworkFile(path, config, {name: w.float() for name, w in weights.items()}, digest)


def filled(kind: Callable[[Config], Network], file: NetworkFile[Config]) -> Network:
    """Return the network that the arguments of a file describe, with its weights.

    Raises:
        ValueError: which tensor is missing, too many or of another shape.
    """
    try:
        with torch.device("meta"):
            network = kind(file.config)
    except ValueError as error:
        raise ValueError(f"{file.path}: no network of that configuration: {error}") from error
    check_shapes(file.weights, network.state_dict(), file.path)
    network.load_state_dict(file.weights, assign=True)
    return network


def combined_hash(digests: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that stand for several files."""
    joined = (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )
    return joined[:16]


def _arguments(path: Path, metadata: dict[str, str]) -> tuple[Path, dict[str, Any]]:
    """Return the file that says how the network is built, and what it says."""
    beside = path.with_suffix(".json")
    try:
        if "config" in metadata:
            names = {"class_name"} & metadata.keys()
            config = json.loads(metadata["config"])
            return path, {"config": config, **{name: metadata[name] for name in names}}
        document = json.loads(beside.read_text())
    except FileNotFoundError as error:
        raise ValueError(
            f"{path}: expected how the network is built in {beside.name} or in the metadata,"
            " found neither"
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{beside}: expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{beside}: expected an object with 'class_name' and 'config'")
    return beside, document


def _checked(config: Any, kind: type[Config], source: Path) -> Config:
    try:
        return kind.model_validate(config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, ("config", *first["loc"])))
        # Of a missing field, and of a rule over several, the input is the whole object.
        value = "" if isinstance(first["input"], dict) else f", found {first['input']!r:.80}"
        raise ValueError(
            f"{source}: expected a network of {kind.architecture}: {field}: {first['msg']}{value}"
        ) from error
