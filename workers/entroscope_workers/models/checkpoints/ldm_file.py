"""One file of Stable Diffusion 1 in the layout of the original code, its tensors renamed.

diffusers knows the names; what a network of the given configuration lacks or does not know is an
error here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from entroscope_workers.models.checkpoints.shapes import check_shapes

#: How the names of the tensors of each part begin.
UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
#: Other models, by how the names of their text encoders begin.
OTHERS = {
    "conditioner.": "Stable Diffusion XL",
    "cond_stage_model.model.": "Stable Diffusion 2, which is read from diffusers' folder only",
}

Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class LdmFile:
    """The tensors of a file, by their original names."""

    path: Path
    weights: Weights

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the tensors of a file.

        Raises:
            ValueError: it is no safetensors file, or of another model.
        """
        try:
            weights = safetensors.torch.load_file(path)
        except (OSError, SafetensorError) as error:
            raise ValueError(f"{path}: expected weights in safetensors: {error}") from error
        for start, name in OTHERS.items():
            if any(key.startswith(start) for key in weights):
                raise ValueError(f"{path}: expected Stable Diffusion 1, found {name}")
        return cls(path, weights)

    def unet(self, config: Mapping[str, Any], dtype: torch.dtype) -> Any:
        """Return the UNet2DConditionModel of a configuration, to be computed in a type.

        Raises:
            ValueError: which tensor is missing, too many or of another shape.
        """
        from diffusers import UNet2DConditionModel
        from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

        weights = convert_ldm_unet_checkpoint(self._part(UNET), dict(config))
        return self._filled(UNet2DConditionModel, config, weights, dtype)

    def autoencoder(self, config: Mapping[str, Any]) -> Any:
        """Return the AutoencoderKL of a configuration, in float32; errors as `unet`."""
        from diffusers import AutoencoderKL
        from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

        weights = convert_ldm_vae_checkpoint(self._part(VAE), dict(config))
        return self._filled(AutoencoderKL, config, weights, torch.float32)

    def text_encoder(self) -> Weights:
        """Return the tensors of the CLIPTextModel, by the names of transformers."""
        return {key.removeprefix(TEXT): weight for key, weight in self._part(TEXT).items()}

    def _part(self, start: str) -> Weights:
        part = {key: weight for key, weight in self.weights.items() if key.startswith(start)}
        if not part:
            first = min(self.weights, default="nothing")
            raise ValueError(f"{self.path}: expected tensors {start}..., found {first!r} first")
        return part

    def _filled(
        self, kind: Any, config: Mapping[str, Any], weights: Weights, dtype: torch.dtype
    ) -> Any:
        with torch.device("meta"):
            network = kind.from_config(config)
        check_shapes(weights, network.state_dict(), self.path)
        cast = {name: weight.to(dtype) for name, weight in weights.items()}
        network.load_state_dict(cast, assign=True)
        return network.eval().requires_grad_(False)
