"""The equations, one function each: pure functions of tensors, in float64 where logarithms meet.

No I/O, no device choice, no global random numbers, no plan and no model: only torch.
"""
