"""How fast a model answers on this device: a short look before it is offered."""

import time

import torch

from entroscope.protocol.models import ModelInfo
from entroscope.protocol.plan import bind_params
from entroscope_workers.models.base import Model

#: Length of the look, in seconds.
LOOK_S = 0.5
ROWS = 16


@torch.inference_mode()
def probed(model: Model) -> ModelInfo:
    """Return the model's info with the pairs (sample, label) it answers in a second."""
    bound_labels = bind_params(model.info, {}).labels
    bound = model.bind({}, bound_labels)
    x = torch.zeros((ROWS, *bound.info.shape), dtype=bound.dtype, device=bound.device)
    sigma = torch.ones(ROWS, dtype=torch.float64, device=bound.device)
    labels = torch.arange(min(len(bound_labels), 64), device=bound.device)
    rows = torch.arange(ROWS, device=bound.device).repeat_interleave(len(labels))
    pairs = labels.repeat(ROWS)
    rate = _rate(bound, x, sigma, rows, pairs)
    return model.info.model_copy(update={"pairs_per_second": float(f"{rate:.3g}")})


def _rate(
    model: Model, x: torch.Tensor, sigma: torch.Tensor, rows: torch.Tensor, labels: torch.Tensor
) -> float:
    model.denoise(x, sigma, rows, labels)  # the first call allocates
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < LOOK_S or not done:
        model.denoise(x, sigma, rows, labels).sum().item()  # .item() waits for the device
        done += len(labels)
    return done / elapsed
