"""The networks of a model are counted wherever they stand, and once."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from entroscope_workers.library.model_size import num_weights


@dataclass(frozen=True, slots=True)
class Slotted:
    part: Any


class Holder:
    def __init__(self, *parts: Any) -> None:
        self.parts = {"all": parts}
        self.me = self

    def call(self) -> None: ...


def test_networks_are_found_in_attributes_slots_closures_and_partials() -> None:
    nets = [nn.Linear(9, 1, bias=False, dtype=torch.float16) for _ in range(5)]
    normed = nn.BatchNorm1d(3, affine=False)  # two buffers of three numbers and a counter

    first = nets[0]

    def closed() -> Any:
        return first, later

    model = Holder(closed, Slotted(nets[1]), partial(print, nets[2]), Holder(nets[3]).call, normed)
    assert num_weights(model) == (4 * 9 + 7, 4 * 18 + 2 * 12 + 8)
    later = nets[4]
    assert num_weights(model) == (5 * 9 + 7, 5 * 18 + 2 * 12 + 8)
    assert num_weights(Holder(nets, closed, later, "text", 3)) == (45, 90)
