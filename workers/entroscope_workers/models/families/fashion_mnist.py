"""Fashion-MNIST: a class-conditional denoiser small enough to be measured on a laptop's processor.

The network is a U-Net cut in two. The trunk reads the noisy picture, knows no label and runs once a
row; the decoder knows the label and runs once a label. So ten labels cost little more than one.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from entroscope.protocol.models import BatchSizes, ModelInfo, ScheduleDefaults
from entroscope_workers.models.adapters.labels import label_names, label_presets
from entroscope_workers.models.adapters.network_model import Pixels
from entroscope_workers.models.checkpoints.shapes import check_shapes
from entroscope_workers.models.entry import Entry

NAME = "fashion-mnist"
LABELS = label_names(NAME, 10)
SHAPE = (1, 28, 28)
CHECKPOINT = Path(__file__).parents[1] / "checkpoints" / "fashion_mnist.safetensors"
_CPU = torch.device("cpu")
#: Evaluations the decoder takes at a time: on a processor their feature maps fit its cache, on a
#: GPU they fill it, and memory does not grow with the batch.
EVALUATIONS_AT_ONCE = 40
EVALUATIONS_AT_ONCE_GPU = 8192


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The size of the network; it travels in the metadata of the checkpoint.

    Attributes:
        sigma_data: root mean square of the pictures, which lie in [-1, 1].
        fine, coarse: channels of the trunk at 14 x 14 and at 7 x 7.
        decoder_fine: channels of the decoder at 14 x 14, where most of its time goes.
        trunk_blocks, decoder_blocks: residual blocks at (14 x 14, 7 x 7).
        embedding: width of the vectors of noise level, label and picture.
    """

    sigma_data: float = 0.83
    fine: int = 64
    coarse: int = 128
    decoder_fine: int = 48
    trunk_blocks: tuple[int, int] = (2, 2)
    decoder_blocks: tuple[int, int] = (1, 2)
    embedding: int = 192


class Features(NamedTuple):
    """What the trunk knows of each row; the decoder reads it once for every label asked."""

    fine: Tensor  # (batch, decoder_fine, 14, 14)
    coarse: Tensor  # (batch, coarse, 7, 7)
    context: Tensor  # (batch, embedding)

    def of(self, rows: Tensor) -> "Features":
        return Features(self.fine[rows], self.coarse[rows], self.context[rows])


class NoiseEmbedding(nn.Module):
    """Sines and cosines of ln sigma, from periods far above its range down to about one."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.logspace(-1.5, 0.8, width // 2), persistent=False)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, sigma: Tensor) -> Tensor:
        phases = sigma.log().float()[:, None] * self.frequencies
        embedding: Tensor = self.mix(torch.cat([phases.sin(), phases.cos()], dim=1))
        return embedding


class PixelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel: in bfloat16 several times faster than
    group normalisation on a processor."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """Two convolutions; a vector scales and shifts the features between them."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.norm_in = PixelNorm(channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm_out = PixelNorm(channels, elementwise_affine=False)
        self.modulate = nn.Linear(embedding, 2 * channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        scale, shift = self.modulate(F.silu(vector))[:, :, None, None].chunk(2, dim=1)
        h = self.conv_in(F.silu(self.norm_in(x)))
        h = torch.addcmul(shift, self.norm_out(h), 1 + scale)
        change: Tensor = self.conv_out(F.silu(h))
        return x + change


class Trunk(nn.Module):
    """The half that knows no label: noisy picture and noise level to features."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        fine, coarse, width = config.fine, config.coarse, config.embedding
        num_fine, num_coarse = config.trunk_blocks
        self.noise = NoiseEmbedding(width)
        self.read = nn.Conv2d(4, fine, 3, padding=1)
        self.fine = nn.ModuleList(ResidualBlock(fine, width) for _ in range(num_fine))
        self.down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(ResidualBlock(coarse, width) for _ in range(num_coarse))
        self.skip = nn.Conv2d(fine, config.decoder_fine, 1)
        self.pooled = nn.Linear(coarse, width)

    def forward(self, x: Tensor, sigma: Tensor) -> Features:
        vector = self.noise(sigma)
        # Channels last is what the processor's convolutions are fast in; the decoder inherits it.
        h = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        fine = _through(self.fine, self.read(h), vector)
        coarse = _through(self.coarse, self.down(fine), vector)
        context = vector + self.pooled(coarse.mean(dim=(2, 3)))
        return Features(self.skip(fine), coarse, context)


class Decoder(nn.Module):
    """The half that knows the label; label 0 is "no label", label k + 1 is class k."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        fine, coarse, width = config.decoder_fine, config.coarse, config.embedding
        num_fine, num_coarse = config.decoder_blocks
        self.vectors = nn.Embedding(len(LABELS) + 1, width)
        self.maps = nn.Parameter(0.1 * torch.randn(len(LABELS) + 1, coarse, 7, 7))
        self.coarse = nn.ModuleList(ResidualBlock(coarse, width) for _ in range(num_coarse))
        self.up = nn.Conv2d(coarse, 4 * fine, 1)
        self.fine = nn.ModuleList(ResidualBlock(fine, width) for _ in range(num_fine))
        self.norm = PixelNorm(fine)
        self.write = nn.Conv2d(fine, 4, 3, padding=1)
        nn.init.zeros_(self.write.weight)

    def forward(self, features: Features, labels: Tensor) -> Tensor:
        """Return the raw output (evaluations, 1, 28, 28) for features and labels of as many."""
        vector = features.context + self.vectors(labels)
        coarse = features.coarse + self.maps[labels]
        coarse = _through(self.coarse, coarse.contiguous(memory_format=torch.channels_last), vector)
        up = F.pixel_shuffle(self.up(coarse), 2)
        fine = _through(self.fine, features.fine + up, vector)
        return F.pixel_shuffle(self.write(F.silu(self.norm(fine))), 2)


class Network(nn.Module):
    """E[x0 | x, label], preconditioned as in Karras et al. 2022, table 1."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        self.decoder = Decoder(config)

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        rows: Tensor,
        labels: Tensor,
        evaluations_at_once: int = 1 << 30,
    ) -> Tensor:
        """Return the denoised data; arguments and result as in `Model.denoise`."""
        level = sigma[:, None, None, None]
        scale = (level.square() + self.config.sigma_data**2).sqrt()
        features = self.trunk((x / scale).to(x.dtype), sigma)
        kept = ((self.config.sigma_data / scale).square() * x).to(x.dtype)
        gain = (level * self.config.sigma_data / scale).to(x.dtype)
        denoised = [
            kept[some_rows]
            + gain[some_rows] * self.decoder(features.of(some_rows), some_labels + 1)
            for some_rows, some_labels in zip(
                torch.split(rows, evaluations_at_once),
                torch.split(labels, evaluations_at_once),
                strict=True,
            )
        ]
        return torch.cat(denoised)


def _through(blocks: nn.ModuleList, x: Tensor, vector: Tensor) -> Tensor:
    for block in blocks:
        x = block(x, vector)
    return x


class FashionMnist(Pixels):
    """The adapter: the trained network as a `Model`."""

    def __init__(
        self, network: Network, device: torch.device, weights_hash: str | None, name: str = NAME
    ) -> None:
        super().__init__(_info(weights_hash, name), device)
        self.network = network.to(device).eval().requires_grad_(False)
        self._evaluations_at_once = (
            EVALUATIONS_AT_ONCE if device.type == "cpu" else EVALUATIONS_AT_ONCE_GPU
        )

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        denoised: Tensor = self.network(x, sigma, rows, labels, self._evaluations_at_once)
        return denoised


def _info(weights_hash: str | None, name: str) -> ModelInfo:
    return ModelInfo(
        name=name,
        family=NAME,
        title="Fashion-MNIST",
        description="Ten kinds of clothing, 28 x 28 pixels; trained with this tool.",
        labels=LABELS,
        shape=SHAPE,
        # The garments are so far apart that 0.012 bits are decided above sigma 80.
        schedule=ScheduleDefaults(steps=32, sigma_max=120.0, sigma_min=0.02, rho=7.0),
        # A worker that falls away is inherited after the batch at hand: let that be seconds.
        batch_sizes=BatchSizes(first=16, largest=32),
        # Exact: the training set holds 6,000 pictures of each class.
        prior=(0.1,) * len(LABELS),
        unconditional=True,
        presets=label_presets(NAME),
        weights_hash=weights_hash,
    )


def load_entry(entry: Entry, device: torch.device) -> FashionMnist:
    """Return another checkpoint of the same kind, as the training script writes them."""
    return load(device, entry.without_options().need_path(), entry.name)


def load(device: torch.device = _CPU, path: Path | None = None, name: str = NAME) -> FashionMnist:
    """Return the model of a checkpoint, by default the one in the package.

    Raises:
        ValueError: the checkpoint is missing, corrupt or of another network.
    """
    path = path or CHECKPOINT
    try:
        content = path.read_bytes()
        weights, config = _parsed(content, path)
    except OSError as error:
        raise ValueError(f"cannot read the Fashion-MNIST checkpoint {path}: {error}") from error
    network = Network(config)
    check_shapes(weights, network.state_dict(), path)
    network.load_state_dict(weights)
    return FashionMnist(network, device, hashlib.sha256(content).hexdigest()[:16], name)


def _parsed(content: bytes, path: Path) -> tuple[dict[str, Tensor], NetworkConfig]:
    try:
        weights = safetensors.torch.load(content)
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        if "config" not in metadata:
            raise ValueError("it does not say the size of its network")
        return weights, NetworkConfig(**json.loads(metadata["config"]))
    except (SafetensorError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a whole Fashion-MNIST checkpoint: {error}") from error
