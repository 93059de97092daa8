"""The chain rule over trees of groups: H[leaves|X] = H[root|X] + sum_Y pi_Y H[inside Y|X,Y]."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from entroscope.measurement.plan.curves import Curve
from entroscope_workers.numerics.entropy import posterior_entropy
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree among the curves of a run.

    Attributes:
        root: position of its root's curve.
        inner: positions of the decisions inside its groups.
        leaves: its innermost groups.
        inside: (inner, leaves), float64, 1 where a leaf lies inside a decision.
    """

    root: int
    inner: list[int]
    leaves: Grouping
    inside: Tensor


class ChainRules:
    """By how much every trajectory misses the chain rule of every tree; the mean must be 0.

    The decisions inside a group count for the trajectories of its labels. Where those do not follow
    the posterior, as on data or under guidance that it is not read with, the posterior itself
    weights them.
    """

    def __init__(self, curves: Sequence[Curve], device: torch.device, labels_follow: bool) -> None:
        self._labels_follow = labels_follow
        self._trees = [
            _tree(curves, index, device) for index, curve in enumerate(curves) if curve.leaves
        ]

    def residuals(self, logits: Tensor, label: Tensor, entropies: Tensor) -> Tensor:
        """Return residual and variance of every curve, (curves, 2, rows); 0 but at roots of trees.

        The residual is h of the leaves - h of the root - sum of h of the decisions that the
        trajectory's own label lies inside of; the variance is its own under the posterior.

        Args:
            logits: (rows, run labels), log-posteriors up to a constant.
            label: (rows,), columns of the trajectories' labels.
            entropies: (curves, rows), in bits.
        """
        missed = entropies.new_zeros(len(entropies), 2, len(label))
        for tree in self._trees:
            _, leaves = group_log_posterior(logits, tree.leaves)
            inner = entropies[tree.inner].T @ tree.inside  # (rows, leaves)
            p = leaves.exp()
            mean = (p * inner).sum(1, keepdim=True)
            truth = own_group(label, tree.leaves).clamp(min=0)  # outside: counted by no curve
            along = inner.gather(1, truth[:, None])[:, 0] if self._labels_follow else mean[:, 0]
            missed[tree.root, 0] = posterior_entropy(leaves) - entropies[tree.root] - along
            missed[tree.root, 1] = (p * (inner - mean).square()).sum(1)
        return missed


def _tree(curves: Sequence[Curve], root: int, device: torch.device) -> _Tree:
    leaves = curves[root].leaves
    inner = [
        index
        for index, curve in enumerate(curves)
        if curve.partition == curves[root].partition and index != root
    ]
    inside = [[float(_is_inside(leaf, curves[index])) for leaf in leaves] for index in inner]
    tensor = torch.tensor(inside, dtype=torch.float64, device=device)
    return _Tree(root, inner, Grouping.of(leaves, device), tensor)


def _is_inside(leaf: tuple[int, ...], curve: Curve) -> bool:
    return any(leaf[0] in group for group in curve.groups)
