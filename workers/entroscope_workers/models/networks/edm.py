"""The DDPM++ U-Net of EDM (Karras et al. 2022; Song et al. 2021, "Score-Based Generative ...").

Written from the papers; names of parameters are those of the published checkpoints.
"""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from entroscope_workers.models.checkpoints.network_files import (
    MAX_CHANNELS,
    Multiple,
    NetworkConfig,
)

Resample = Literal["keep", "down", "up"]


class EdmConfig(NetworkConfig):
    """The arguments of EDM's constructor, by their published names; those of DDPM++ only.

    Attributes:
        model_type: "SongUNet"; the other architectures (NCSN++, ADM) are not here.
        sigma_min, sigma_max: noise levels that the network was made for; None is no bound.
        label_dropout: share of the training data whose label was withheld.
    """

    architecture = "EDM's DDPM++"

    # First, so that a file of another architecture is told that before anything else.
    model_type: Literal["SongUNet"]
    embedding_type: Literal["positional"] = "positional"
    encoder_type: Literal["standard"] = "standard"
    decoder_type: Literal["standard"] = "standard"
    resample_filter: tuple[Literal[1], Literal[1]] = (1, 1)
    sigma_min: float | None = 0.0
    sigma_max: float | None = None
    augment_dim: int = Field(default=0, ge=0, le=MAX_CHANNELS)
    model_channels: int = Field(default=128, ge=4, le=MAX_CHANNELS, multiple_of=4)
    channel_mult: tuple[Multiple, ...] = Field(default=(1, 2, 2, 2), min_length=1, max_length=8)
    channel_mult_emb: Multiple = 4
    channel_mult_noise: Literal[1] = 1
    num_blocks: int = Field(default=4, ge=1, le=32)
    attn_resolutions: tuple[int, ...] = (16,)
    dropout: float = 0.1
    label_dropout: float = Field(default=0.0, ge=0, le=1)

    @property
    def embedding_channels(self) -> int:
        return self.model_channels * self.channel_mult_emb


class Conv(nn.Conv2d):
    """A convolution behind a 2 x 2 box filter that halves or doubles the sides."""

    resample_filter: Tensor

    def __init__(self, num_in: int, num_out: int, kernel: int, resample: Resample = "keep") -> None:
        super().__init__(num_in, num_out, kernel, padding=kernel // 2)
        self.resample = resample
        if resample != "keep":
            self.register_buffer("resample_filter", torch.empty(1, 1, 2, 2))

    def forward(self, input: Tensor) -> Tensor:
        if self.resample == "down":
            input = F.avg_pool2d(input, 2)
        elif self.resample == "up":
            input = F.interpolate(input, scale_factor=2, mode="nearest")
        return super().forward(input)


class Block(nn.Module):
    """One residual block, with attention of one head where asked for."""

    def __init__(
        self,
        num_in: int,
        num_out: int,
        embedding: int,
        resample: Resample = "keep",
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.num_in, self.attention = num_in, attention
        self.norm0 = _norm(num_in)
        self.conv0 = Conv(num_in, num_out, 3, resample)
        self.affine = nn.Linear(embedding, num_out)
        self.norm1 = _norm(num_out)
        self.conv1 = Conv(num_out, num_out, 3)
        changes = num_in != num_out or resample != "keep"
        self.skip = Conv(num_in, num_out, 1, resample) if changes else nn.Identity()
        if attention:
            self.norm2 = _norm(num_out)
            self.qkv = Conv(num_out, 3 * num_out, 1)
            self.proj = Conv(num_out, num_out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv0(F.silu(self.norm0(x))) + self.affine(embedding)[:, :, None, None]
        h = self.conv1(F.silu(self.norm1(h)))
        x = (self.skip(x) + h) * math.sqrt(0.5)
        return (x + self._attend(x)) * math.sqrt(0.5) if self.attention else x

    def _attend(self, x: Tensor) -> Tensor:
        evaluations, channels, height, width = x.shape
        qkv = self.qkv(self.norm2(x)).reshape(evaluations, 1, channels, 3, height * width)
        # Contiguous: the fast attention of a GPU reads channels side by side.
        q, k, v = qkv.movedim(2, -1).contiguous().unbind(2)  # (evaluations, 1, pixels, channels)
        y = F.scaled_dot_product_attention(q, k, v).mT.reshape(x.shape)
        mixed: Tensor = self.proj(y)
        return mixed


class UNet(nn.Module):
    """The body of the network, cut behind its first convolution: before it, no label matters."""

    def __init__(self, config: EdmConfig) -> None:
        super().__init__()
        self.config = config
        noise, width = config.model_channels, config.embedding_channels
        if config.label_dim:
            self.map_label = nn.Linear(config.label_dim, noise)
        if config.augment_dim:  # for training; sampling leaves it out
            self.map_augment = nn.Linear(config.augment_dim, noise, bias=False)
        self.map_layer0 = nn.Linear(noise, width)
        self.map_layer1 = nn.Linear(width, width)
        self.enc, skips = _encoder(config)
        self.dec = _decoder(config, skips)

    def prepare(self, dtype: torch.dtype) -> None:
        """Make the loaded network ready: the U-Net in its type, the embeddings in float32."""
        self.enc.to(dtype)
        self.dec.to(dtype)
        self.eval().requires_grad_(False)

    def stem(self, x: Tensor, c_noise: Tensor) -> tuple[Tensor, Tensor]:
        first = next(iter(self.enc.values()))
        dtype = next(first.parameters()).dtype
        return first(x.to(dtype)), positions(c_noise, self.config.model_channels)

    def forward(self, features: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        embedding = self._embedding(noise, labels).to(features.dtype)
        x, skips = features, [features]
        for block in list(self.enc.values())[1:]:
            x = block(x, embedding)
            skips.append(x)
        *blocks, norm, conv = self.dec.values()
        for block in blocks:
            if x.shape[1] != block.num_in:
                x = torch.cat([x, skips.pop()], dim=1)
            x = block(x, embedding)
        raw: Tensor = conv(F.silu(norm(x)))
        return raw

    def _embedding(self, noise: Tensor, labels: Tensor) -> Tensor:
        if classes := self.config.label_dim:
            # NO_LABEL = -1 is the zero vector: of it the layer leaves the bias.
            one_hot = labels[:, None] == torch.arange(classes, device=labels.device)
            noise = noise + self.map_label(one_hot.float() * math.sqrt(classes))
        hidden = F.silu(self.map_layer0(noise))
        return F.silu(self.map_layer1(hidden))


def positions(c_noise: Tensor, channels: int) -> Tensor:
    """Return sines and cosines of c_noise (batch,), of frequencies from 1 down to 1/10000."""
    half = channels // 2
    steps = torch.arange(half, device=c_noise.device, dtype=torch.float64) / (half - 1)
    phases = c_noise[:, None] * (10000.0**-steps).float()
    return torch.cat([phases.sin(), phases.cos()], dim=1)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(32, channels // 4), channels, eps=1e-6)


def _encoder(config: EdmConfig) -> tuple[nn.ModuleDict, list[int]]:
    """Return the encoder, and the channels of each of its outputs: every one is a skip."""
    layers: dict[str, nn.Module] = {}
    size, width, embedding = config.img_resolution, config.model_channels, config.embedding_channels
    skips: list[int] = []
    for level, channels in enumerate(config.channels):
        if level == 0:
            layers[f"{size}x{size}_conv"] = Conv(config.img_channels, width, 3)
        else:
            size //= 2
            layers[f"{size}x{size}_down"] = Block(width, width, embedding, "down")
        skips.append(width)
        for index in range(config.num_blocks):
            attention = size in config.attn_resolutions
            block = Block(width, channels, embedding, attention=attention)
            layers[f"{size}x{size}_block{index}"] = block
            width = channels
            skips.append(width)
    return nn.ModuleDict(layers), skips


def _decoder(config: EdmConfig, skips: list[int]) -> nn.ModuleDict:
    layers: dict[str, nn.Module] = {}
    embedding, last = config.embedding_channels, len(config.channels) - 1
    size, width = config.img_resolution >> last, skips[-1]
    for level, channels in reversed(list(enumerate(config.channels))):
        name = f"{size}x{size}"
        if level == last:
            layers[f"{name}_in0"] = Block(width, width, embedding, attention=True)
            layers[f"{name}_in1"] = Block(width, width, embedding)
        else:
            layers[f"{name}_up"] = Block(width, width, embedding, "up")
        for index in range(config.num_blocks + 1):
            # Of a listed resolution, only the last block has attention.
            attention = index == config.num_blocks and size in config.attn_resolutions
            block = Block(width + skips.pop(), channels, embedding, attention=attention)
            layers[f"{name}_block{index}"] = block
            width = channels
        size *= 2
    layers[f"{config.img_resolution}x{config.img_resolution}_aux_norm"] = _norm(width)
    layers[f"{config.img_resolution}x{config.img_resolution}_aux_conv"] = Conv(
        width, config.img_channels, 3
    )
    return nn.ModuleDict(layers)


class EDMPrecond(nn.Module):
    """What a checkpoint holds."""

    def __init__(self, config: EdmConfig) -> None:
        super().__init__()
        self.model = UNet(config)
