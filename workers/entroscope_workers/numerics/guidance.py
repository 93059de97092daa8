"""Guided denoisers: what moves a guided trajectory (guide: Guidance)."""

import torch
from torch import Tensor


def guided(free: Tensor, conditional: Tensor, scale: Tensor) -> Tensor:
    """Return D_w = D_u + w (D_c - D_u), classifier-free guidance; w = 1 is unguided.

    Args:
        free: D_u, the unconditional branch; conditional: D_c, of a shape it broadcasts to.
        scale: w, broadcast to `conditional`.
    """
    return free + scale * (conditional - free)


def feedback_scale(log_ratio: Tensor, scale: float, largest: float) -> Tensor:
    """Return the scale that a sample's own posterior asks for (feedback guidance).

    Where the network's conditional is a mixture (1 - e) p(x|c) + e p(x), the class itself is
    p(x|c) ~ p_net(x|c) - e p(x), and its score is a guided one with the scale

        w = r / (r - e),   r = p_net(x|c) / p(x) = p(c|x) / p(c),   e = 1 - 1 / scale

    (Koulischer et al. 2025, arXiv 2506.06085, with e = 1 - pi; their temperature and offset of the
    log-ratio are not used, and it is held at its least value where it is read, not where it is
    kept, so that r remains a posterior). So w = `scale` where r = 1, nothing is known yet,
    falls to 1 as the class wins, and is held at `largest` as it loses.

    Args:
        log_ratio: ln r, any shape.
        scale: at least 1; largest: at least `scale`.
    Returns:
        w of the same shape, in [1, largest].
    """
    share = 1 - 1 / scale
    if share == 0:
        return torch.ones_like(log_ratio)
    # w = largest where r = e largest / (largest - 1): below it the ratio has no say.
    least = share * largest / (largest - 1)
    ratio = log_ratio.exp().clamp(min=least)
    return (ratio / (ratio - share)).clamp(1, largest)
