"""Entropy and production of a decision among Gaussians of one width, by quadrature."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.mixtures.factors import Decision

Array = NDArray[np.float64]

#: Spacing and reach of the nodes around each component, in units of its width, by dimension. The
#: integrands are smooth, so that a plain sum over a grid converges faster than any power.
NODES = {1: (1 / 6, 7.0), 2: (1 / 4, 5.5)}

#: Stands for posteriors that are 0 where they are divided by; their share of any sum is 0.
TINY = 1e-300


def nodes(dimension: int) -> tuple[Array, Array]:
    """Return points (nodes, dimension) and weights of a standard Gaussian, the weights sum to 1."""
    spacing, reach = NODES[dimension]
    line = np.arange(-reach, reach + spacing / 2, spacing)
    grids = np.meshgrid(*[line] * dimension, indexing="ij")
    points = np.stack([grid.ravel() for grid in grids], axis=1)
    points = points[np.square(points).sum(1) <= reach**2]
    bells = np.exp(-0.5 * np.square(points).sum(1))
    return points, np.asarray(bells / bells.sum())


def terms(decision: Decision) -> int:
    """Return how many posteriors one noise level takes."""
    dimension, components = len(decision.points[0]), len(decision.points)
    return len(nodes(dimension)[1]) * components * components


def integrate(
    points: Array, weights: Array, groupings: Sequence[Sequence[int]], std: float, sigma: float
) -> list[tuple[float, float]]:
    """Return entropy and production, in nats, of every grouping of one mixture.

    production = sigma^-2 E sum_Y p(Y|x) |D_Y - Dbar|^2 with D_Y - Dbar = (M_Y - Mbar) sigma^2 /
    (std^2 + sigma^2) for the posterior means M of the components' means (guide: Production).
    It is the formula of the workers' numerics/production.py, in numpy: the server imports no torch,
    and here the expectation is a sum over nodes.

    Args:
        points: (components, dimension); weights: (components,); a grouping has each one's group.
    """
    width, (offsets, bells) = math.hypot(std, sigma), nodes(points.shape[1])
    means = points / width
    x = (means[:, None] + offsets).reshape(-1, points.shape[1])
    mass = (weights[:, None] * bells).ravel()
    posterior = _posterior(x, means, weights)  # (components, nodes)
    middles = means.T @ posterior  # (dimension, nodes)
    slope = (sigma / width) ** 2
    answers = []
    for groups in groupings:
        member = np.eye(max(groups) + 1)[:, list(groups)]  # (groups, components)
        group = member @ posterior  # (groups, nodes)
        safe = np.maximum(group, TINY)
        entropy = -((group * np.log(safe)) @ mass).sum()
        spread = sum(
            (np.square((member * mean) @ posterior - group * middle) / safe) @ mass
            for mean, middle in zip(means.T, middles, strict=True)
        )  # E p_Y (M_Y - Mbar)^2 of each group
        answers.append((float(entropy), slope * float(np.sum(spread))))
    return answers


def _posterior(x: Array, means: Array, weights: Array) -> Array:
    # |x|^2 is common to all components
    constant = np.log(weights) - 0.5 * np.square(means).sum(1)
    posterior = means @ x.T + constant[:, None]
    posterior -= posterior.max(0)
    np.exp(posterior, out=posterior)
    posterior /= posterior.sum(0)
    return np.asarray(posterior)
