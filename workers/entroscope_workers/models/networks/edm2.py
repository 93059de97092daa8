"""The U-Net of EDM2, from the paper (Karras et al. 2024, "Analyzing and Improving the Training
Dynamics ..."); names of parameters are those of the published checkpoints.
"""

import math
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from entroscope_workers.models.checkpoints.network_files import (
    MAX_CHANNELS,
    Multiple,
    NetworkConfig,
)

Flavour = Literal["encoder", "decoder"]
Resample = Literal["keep", "down", "up"]
Balance = Field(default=0.5, ge=0, le=1)


class Edm2Config(NetworkConfig):
    """The arguments of EDM2's constructor, by their published names.

    Attributes:
        model_channels: as for every network; 128 is XS, 448 is XXL.
        channel_mult_noise, channel_mult_emb: the same for the embeddings of noise and of both.
        clip_act: bound of the activations.
    """

    architecture = "EDM2"

    use_fp16: bool = True
    logvar_channels: int = Field(default=128, ge=1, le=MAX_CHANNELS)
    model_channels: int = Field(default=192, ge=1, le=MAX_CHANNELS)
    channel_mult: tuple[Multiple, ...] = Field(default=(1, 2, 3, 4), min_length=1, max_length=8)
    channel_mult_noise: Multiple | None = None
    channel_mult_emb: Multiple | None = None
    num_blocks: int = Field(default=3, ge=1, le=32)
    attn_resolutions: tuple[int, ...] = (16, 8)
    label_balance: float = Balance
    concat_balance: float = Balance
    channels_per_head: int = Field(default=64, ge=1)
    dropout: float = 0.0
    res_balance: float = Field(default=0.3, ge=0, le=1)
    attn_balance: float = Field(default=0.3, ge=0, le=1)
    clip_act: float | None = Field(default=256.0, gt=0)

    @model_validator(mode="after")
    def _heads_come_out_even(self) -> "Edm2Config":
        for channels in self.channels:
            if channels % max(1, channels // self.channels_per_head):
                raise ValueError(f"{channels} channels do not divide into heads")
        return self

    @property
    def noise_channels(self) -> int:
        mult = self.channel_mult_noise
        return self.channels[0] if mult is None else self.model_channels * mult

    @property
    def embedding_channels(self) -> int:
        mult = self.channel_mult_emb
        return max(self.channels) if mult is None else self.model_channels * mult


def normalize(x: Tensor, dims: list[int]) -> Tensor:
    """Return x over its root mean square along some axes."""
    norm = torch.linalg.vector_norm(x, dim=dims, keepdim=True, dtype=torch.float32)
    rms = norm * math.sqrt(norm.numel() / max(1, x.numel()))
    unit: Tensor = x / (rms + 1e-4).to(x.dtype)
    return unit


def mp_silu(x: Tensor) -> Tensor:
    """SiLU that keeps the variance (eq. 81)."""
    return F.silu(x) / 0.596


def mp_sum(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Weighted sum that keeps the variance (eq. 88)."""
    return torch.lerp(a, b, t) / math.hypot(1 - t, t)


def mp_cat(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Weighted concatenation of channels that keeps the variance (eq. 103)."""
    num_a, num_b = a.shape[1], b.shape[1]
    scale = math.sqrt((num_a + num_b) / ((1 - t) ** 2 + t**2))
    return torch.cat(
        [a * (scale / math.sqrt(num_a) * (1 - t)), b * (scale / math.sqrt(num_b) * t)], dim=1
    )


class Fourier(nn.Module):
    """Random Fourier features (eq. 75); frequencies and phases are part of the checkpoint."""

    freqs: Tensor
    phases: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.empty(channels))
        self.register_buffer("phases", torch.empty(channels))

    def forward(self, c_noise: Tensor) -> Tensor:
        return math.sqrt(2) * (c_noise[:, None] * self.freqs + self.phases).cos()


class Layer(nn.Module):
    """A linear layer, or a convolution with a kernel; neither has a bias."""

    def __init__(self, num_in: int, num_out: int, kernel: int | None = None) -> None:
        super().__init__()
        size = () if kernel is None else (kernel, kernel)
        self.weight = nn.Parameter(torch.empty(num_out, num_in, *size))

    def fold(self, gain: Tensor | float = 1.0) -> None:
        """Put normalisation and gain into the weight, once for all."""
        weight = self.weight.detach()
        unit = normalize(weight, list(range(1, weight.ndim))) / math.sqrt(weight[0].numel())
        weight = unit * gain
        if weight.ndim == 4:
            weight = weight.contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return F.linear(x, self.weight)
        return F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)


class Block(nn.Module):
    """One residual block of the encoder or of the decoder, which differ in where the skip is."""

    def __init__(
        self,
        config: Edm2Config,
        num_in: int,
        num_out: int,
        flavour: Flavour,
        resample: Resample = "keep",
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.config, self.flavour, self.resample = config, flavour, resample
        self.heads = num_out // config.channels_per_head if attention else 0
        self.emb_gain = nn.Parameter(torch.empty(()))
        self.emb_linear = Layer(config.embedding_channels, num_out)
        self.conv_res0 = Layer(num_out if flavour == "encoder" else num_in, num_out, 3)
        self.conv_res1 = Layer(num_out, num_out, 3)
        self.conv_skip = Layer(num_in, num_out, 1) if num_in != num_out else nn.Identity()
        if self.heads:
            self.attn_qkv = Layer(num_out, 3 * num_out, 1)
            self.attn_proj = Layer(num_out, num_out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        x = _resampled(x, self.resample)
        if self.flavour == "encoder":
            x = normalize(self.conv_skip(x), [1])
        scale = 1 + self.emb_linear(embedding)[:, :, None, None]
        h = self.conv_res1(mp_silu(self.conv_res0(mp_silu(x)) * scale))
        if self.flavour == "decoder":
            x = self.conv_skip(x)
        x = mp_sum(x, h, self.config.res_balance)
        if self.heads:
            x = mp_sum(x, self._attend(x), self.config.attn_balance)
        bound = self.config.clip_act
        return x if bound is None else x.clip(-bound, bound)

    def _attend(self, x: Tensor) -> Tensor:
        evaluations, channels, height, width = x.shape
        qkv = self.attn_qkv(x).reshape(evaluations, self.heads, -1, 3, height * width)
        # Contiguous: the fast attention of a GPU reads channels side by side.
        qkv = normalize(qkv.movedim(2, -1).contiguous(), [-1])
        q, k, v = qkv.unbind(2)  # (evaluations, heads, pixels, channels)
        y = F.scaled_dot_product_attention(q, k, v).mT.reshape(evaluations, channels, height, width)
        mixed: Tensor = self.attn_proj(y)
        return mixed


class UNet(nn.Module):
    """The body of the network, cut behind its first convolution: before it, no label matters."""

    labels: Tensor

    def __init__(self, config: Edm2Config) -> None:
        super().__init__()
        self.config = config
        self.emb_fourier = Fourier(config.noise_channels)
        self.emb_noise = Layer(config.noise_channels, config.embedding_channels)
        if config.label_dim:
            self.emb_label = Layer(config.label_dim, config.embedding_channels)
        self.enc, skips = _encoder(config)
        self.dec = _decoder(config, skips)
        self.out_conv = Layer(config.channels[0], config.img_channels, 3)
        self.out_gain = nn.Parameter(torch.empty(()))

    def prepare(self, dtype: torch.dtype) -> None:
        """Make the loaded network ready: weights folded, blocks in their type."""
        gains = {self.out_conv: self.out_gain.detach()}
        gains |= {b.emb_linear: b.emb_gain.detach() for b in self.modules() if isinstance(b, Block)}
        for layer in self.modules():
            if isinstance(layer, Layer):
                layer.fold(gains.get(layer, 1.0))
        none = torch.zeros(1, self.config.embedding_channels, device=self.out_gain.device)
        table = [none]
        if self.config.label_dim:
            table.insert(0, self.emb_label.weight.mT * math.sqrt(self.config.label_dim))
        # The zero vector comes last, where NO_LABEL = -1 points.
        self.register_buffer("labels", torch.cat(table), persistent=False)
        for part in (self.enc, self.dec, self.out_conv):
            part.to(dtype)
        self.eval().requires_grad_(False)

    def stem(self, x: Tensor, c_noise: Tensor) -> tuple[Tensor, Tensor]:
        first: Layer = next(iter(self.enc.values()))  # type: ignore[assignment]
        ones = torch.ones_like(x[:, :1])
        x = torch.cat([x, ones], dim=1).to(first.weight.dtype)
        features = first(x.contiguous(memory_format=torch.channels_last))
        return features, self.emb_noise(self.emb_fourier(c_noise))

    def forward(self, features: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        embedding = noise
        if self.config.label_dim:
            embedding = mp_sum(noise, self.labels[labels], self.config.label_balance)
        embedding = mp_silu(embedding).to(features.dtype)
        x, skips = features, [features]
        for block in list(self.enc.values())[1:]:
            x = block(x, embedding)
            skips.append(x)
        for name, block in self.dec.items():
            if "block" in name:
                x = mp_cat(x, skips.pop(), self.config.concat_balance)
            x = block(x, embedding)
        raw: Tensor = self.out_conv(x)
        return raw


class Precond(nn.Module):
    """What a checkpoint holds: the U-Net, and a head for training that sampling leaves out."""

    def __init__(self, config: Edm2Config) -> None:
        super().__init__()
        self.unet = UNet(config)
        self.logvar_fourier = Fourier(config.logvar_channels)
        self.logvar_linear = Layer(config.logvar_channels, 1)


def _resampled(x: Tensor, how: Resample) -> Tensor:
    if how == "down":
        return F.avg_pool2d(x, 2)
    return F.interpolate(x, scale_factor=2, mode="nearest") if how == "up" else x


def _encoder(config: Edm2Config) -> tuple[nn.ModuleDict, list[int]]:
    """Return the encoder, and the channels of each of its outputs: every one is a skip."""
    layers: dict[str, nn.Module] = {}
    skips: list[int] = []
    size, width = config.img_resolution, config.img_channels + 1
    for level, channels in enumerate(config.channels):
        if level == 0:
            layers[f"{size}x{size}_conv"] = Layer(width, channels, 3)
            width = channels
        else:
            size //= 2
            layers[f"{size}x{size}_down"] = Block(config, width, width, "encoder", "down")
        skips.append(width)
        for index in range(config.num_blocks):
            block = Block(
                config, width, channels, "encoder", attention=size in config.attn_resolutions
            )
            layers[f"{size}x{size}_block{index}"] = block
            width = channels
            skips.append(width)
    return nn.ModuleDict(layers), skips


def _decoder(config: Edm2Config, skips: list[int]) -> nn.ModuleDict:
    layers: dict[str, nn.Module] = {}
    size, width = config.img_resolution >> (len(config.channels) - 1), skips[-1]
    for level, channels in reversed(list(enumerate(config.channels))):
        name = f"{size}x{size}"
        if level == len(config.channels) - 1:
            layers[f"{name}_in0"] = Block(config, width, width, "decoder", attention=True)
            layers[f"{name}_in1"] = Block(config, width, width, "decoder")
        else:
            layers[f"{name}_up"] = Block(config, width, width, "decoder", "up")
        for index in range(config.num_blocks + 1):
            layers[f"{name}_block{index}"] = Block(
                config,
                width + skips.pop(),
                channels,
                "decoder",
                attention=size in config.attn_resolutions,
            )
            width = channels
        size *= 2
    return nn.ModuleDict(layers)
