"""Train a small class-conditional DDPM++ on Fashion-MNIST, as a user's own checkpoint would be.

    python tests/benchmarks/small_edm.py --data FOLDER --out small_edm.safetensors [--minutes 10]

The pictures are halved to 14 x 14 and framed to 16 x 16. A tenth of the labels is withheld, so that
one network is conditional and unconditional. Writes weights and the JSON beside them, which
`entroscope models add small --family edm --path ...` takes as they are.
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from entroscope_workers.library.idx import read_part
from entroscope_workers.models.adapters.preconditioned import Denoiser
from entroscope_workers.models.networks.edm import EdmConfig, EDMPrecond
from entroscope_workers.training.fashion_mnist import as_labels, as_states
from entroscope_workers.training.loss import NoiseLevels, drop_labels

CONFIG: dict[str, Any] = {
    "model_type": "SongUNet",
    "img_resolution": 16,
    "img_channels": 1,
    "label_dim": 10,
    "label_dropout": 0.1,
    "model_channels": 16,
    "channel_mult": [1, 2],
    "channel_mult_emb": 2,
    "num_blocks": 1,
    "attn_resolutions": [8],
    "dropout": 0.0,
}


def small(pictures: Tensor) -> Tensor:
    """Return (n, 1, 28, 28) in -1..1 as (n, 1, 16, 16): means of four pixels, a black frame."""
    return F.pad(F.avg_pool2d(pictures, 2), (1, 1, 1, 1), value=-1.0)


def fresh(config: EdmConfig) -> EDMPrecond:
    """Return a network whose residual branches and output are silent at first."""
    network = EDMPrecond(config)
    for name, parameter in network.named_parameters():
        if name.endswith(("conv1.weight", "proj.weight", "aux_conv.weight")):
            nn.init.zeros_(parameter)
    for name, buffer in network.named_buffers():
        if name.endswith("resample_filter"):
            buffer.fill_(0.25)
    return network


def errors(denoise: Denoiser, x0: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Return the weighted error of each picture (Karras et al. 2022, table 1)."""
    sigma = NoiseLevels().draw(len(x0), generator)
    x = x0 + sigma.float()[:, None, None, None] * torch.randn(x0.shape, generator=generator)
    denoised = denoise(x, sigma, torch.arange(len(x0)), labels)
    weight = (sigma**2 + denoise.sigma_data**2) / (sigma * denoise.sigma_data) ** 2
    squared: Tensor = (denoised - x0).square().mean(dim=(1, 2, 3))
    return weight.float() * squared


def train(x0: Tensor, labels: Tensor, o: argparse.Namespace) -> EDMPrecond:
    """Return the average of the weights after so many minutes."""
    torch.manual_seed(o.seed)
    config = EdmConfig.model_validate(CONFIG)
    network, generator = fresh(config), Generator().manual_seed(o.seed)
    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.99), weight_decay=0.01)
    denoise = Denoiser(network.model, config.sigma_data, o.batch_size)
    started, step, recent = time.monotonic(), 0, 0.0
    while (share := (time.monotonic() - started) / (60 * o.minutes)) < 1:
        some = torch.randint(len(x0), (o.batch_size,), generator=generator)
        own = drop_labels(labels[some], config.label_dropout, generator)
        loss = errors(denoise, x0[some], own, generator).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, step / 200) * 0.5 * (1 + math.cos(math.pi * share))
        optimizer.step()
        step, recent = step + 1, 0.99 * recent + 0.01 * loss.item()
        _follow(average, network, min(0.999, step / (step + 10)))
        if step % 500 == 0:
            print(f"step {step}, {share:.0%}, loss {recent:.4f}", flush=True)
    return average


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, parameter in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(parameter, 1 - decay)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of IDX files")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    o = parser.parse_args()
    torch.set_num_threads(1)
    part = read_part(o.data, "train")
    average = train(small(as_states(part)), as_labels(part), o)
    save_file({name: t.contiguous() for name, t in average.state_dict().items()}, o.out)
    document = {"class_name": "EDMPrecond", "config": CONFIG}
    o.out.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    print(o.out)


if __name__ == "__main__":
    main()
