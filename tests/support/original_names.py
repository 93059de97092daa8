"""Stable Diffusion's weights as one file, under the names of the code they were trained with."""

import re
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

#: diffusers' names of a U-Net's and of an autoencoder's tensors in the original code's, for one
#: layer a block; names that are the same in both are left out.
UNET_NAMES = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.attentions.0": "input_blocks.1.1",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "down_blocks.1.resnets.0": "input_blocks.3.0",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0",
    "up_blocks.0.resnets.1": "output_blocks.1.0",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.1.1.conv",
    "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.attentions.0": "output_blocks.2.1",
    "up_blocks.1.resnets.1": "output_blocks.3.0",
    "up_blocks.1.attentions.1": "output_blocks.3.1",
}


UNET_LAYERS = {
    ".norm1.": ".in_layers.0.",
    ".conv1.": ".in_layers.2.",
    ".norm2.": ".out_layers.0.",
    ".conv2.": ".out_layers.3.",
    ".time_emb_proj.": ".emb_layers.1.",
    ".conv_shortcut.": ".skip_connection.",
}


VAE_NAMES = [
    (r"down_blocks\.(\d)\.resnets\.", r"down.\1.block."),
    (r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample."),
    (r"up_blocks\.0\.", "up.1."),
    (r"up_blocks\.1\.", "up.0."),
    (r"(up\.\d)\.resnets\.", r"\1.block."),
    (r"(up\.\d)\.upsamplers\.0\.", r"\1.upsample."),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"group_norm", "norm"),
    (r"to_([qkv])\.", r"\1."),
    (r"to_out\.0", "proj_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
]


def unet_in_original_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, weight in weights.items():
        start = max((key for key in UNET_NAMES if name.startswith(f"{key}.")), key=len)
        original = UNET_NAMES[start] + name.removeprefix(start)
        if "resnets" in name:
            for new, old in UNET_LAYERS.items():
                original = original.replace(new, old)
        renamed[f"model.diffusion_model.{original}"] = weight
    return renamed


def vae_in_original_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, weight in weights.items():
        original = name
        for pattern, old in VAE_NAMES:
            original = re.sub(pattern, old, original)
        is_linear = "attn_1" in original and weight.ndim == 2
        renamed[f"first_stage_model.{original}"] = weight[:, :, None, None] if is_linear else weight
    return renamed


def write_single(folder: Path, path: Path) -> Path:
    """Write the weights of a pipeline's folder as one file of the original code."""

    def part(name: str) -> dict[str, Tensor]:
        (path,) = (folder / name).glob("*.safetensors")
        return safetensors.torch.load_file(path)

    text = {
        f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}": weight
        for name, weight in part("text_encoder").items()
    }
    text["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    weights = unet_in_original_names(part("unet")) | vae_in_original_names(part("vae")) | text
    more = {"betas": torch.ones(3)}  # buffers of the original code that nobody reads
    safetensors.torch.save_file({k: w.contiguous() for k, w in (weights | more).items()}, path)
    return path
