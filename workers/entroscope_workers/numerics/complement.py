"""The complement of a class, rebuilt from two branches (guide: Complement).

Production of a class against the rest is `production.production` of D_c and D_rest, as of any two
groups.
"""

import torch
from torch import Tensor

#: The running posterior is held below this: an error of the branches is multiplied by 1 / (1 - p).
#: On exact mixtures a bound closer to 1 changes the entropy by less than 0.0002 bits.
LARGEST = 1 - 1e-3


def rebuilt_apart(free_apart: Tensor, posterior: Tensor) -> Tensor:
    """Return D_rest - D_c, where D_rest = (D_u - p D_c) / (1 - p).

    Args:
        free_apart: (rows, ...), D_u - D_c.
        posterior: (rows,), float64, p, the class's posterior under its true prior.
    """
    rest = 1 - posterior.clamp(max=LARGEST).to(free_apart.dtype)
    return free_apart / rest.reshape(-1, *(1,) * (free_apart.ndim - 1))


def other_labels(uniform: Tensor, prior: Tensor, label: Tensor) -> Tensor:
    """Return another label for each row, drawn from the prior without the row's own.

    Args:
        uniform: (rows,), float64 in [0, 1).
        prior: (labels,), float64.
        label: (rows,), the labels to be left out.
    """
    weights = prior.repeat(len(label), 1)
    weights[torch.arange(len(label), device=label.device), label] = 0
    edges = weights.cumsum(1)  # a label without weight has no width and is never found
    position = torch.searchsorted(edges, (uniform * edges[:, -1])[:, None], right=True)
    return position[:, 0].clamp(max=len(prior) - 1)
