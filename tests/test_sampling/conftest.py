"""Numerics are tested on one thread: small tensors lose more to waiting than they gain."""

import torch

torch.set_num_threads(1)
