"""How many rows are worked on side by side, and how many evaluations one call of a model has.

All of that is decided here. A slice of rows is as large as its denoised data may be; the
evaluations of a slice are asked in even calls of at most so many. Where the device runs out of
memory the calls become half as large, for good, and the work goes on.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from entroscope_workers.models.base import Model

#: Inputs of one call where no size has been tried out, in bytes of float32.
CALL_BYTES = 2**24
#: Denoised data of one slice of rows on a processor, in bytes of float64: they stay in its cache.
SLICE_BYTES = 2**20
#: Large data fill no cache anyway: so many evaluations keep the number of operations small.
SLICE_EVALUATIONS = 64
#: The same on a GPU, as a share of its memory: each step has a few arrays of this size.
SLICE_SHARE = 1 / 64
#: A call size is as good as the best from this share of its rate on.
AS_GOOD = 0.95


class DoesNotFit(Exception):
    """Not even one evaluation fits the device; the text says what it needed."""


@dataclass(slots=True)
class CallSizes:
    """The sizes of one loaded model on its device, shared by all of its runs.

    Attributes:
        call: the most evaluations of one call; it falls when the device runs out of memory.
    """

    call: int

    @classmethod
    def of(cls, model: Model) -> "CallSizes":
        """Return the sizes of a model whose speed nobody has measured."""
        return cls(unmeasured_call(model))

    @classmethod
    def measured(cls, rates: Mapping[int, float], model: Model, *, complete: bool) -> "CallSizes":
        """Return the sizes that measured rates suggest: the largest call that is about as fast.

        Args:
            rates: evaluations a second by the size of the call.
            complete: whether larger calls are known to be slower, or refused.
        """
        best = max(rates.values())
        call = max(size for size, rate in rates.items() if rate >= AS_GOOD * best)
        return cls(call if complete else max(call, unmeasured_call(model)))

    def even(self, evaluations: int) -> int:
        """Return the size of the fewest even calls for so many evaluations."""
        calls = max(1, -(-evaluations // self.call))
        return max(1, -(-evaluations // calls))

    def shrink(self, tried: int, model: Model, error: RuntimeError) -> None:
        """Halve the calls after an error in one of size `tried`.

        Raises:
            RuntimeError: the error, where it is of another kind.
            DoesNotFit: one evaluation alone is too much for the device.
        """
        if not is_out_of_memory(error):
            raise error
        if tried == 1:
            reason = str(error).strip().splitlines()[0]
            raise DoesNotFit(
                f"one evaluation of {model.info.name!r} does not fit {model.device}: {reason}"
            ) from None
        self.call = tried // 2
        if model.device.type == "cuda":
            torch.cuda.empty_cache()


def unmeasured_call(model: Model) -> int:
    """Return how many evaluations a call may have where no size has been tried out."""
    return max(1, CALL_BYTES // (4 * math.prod(model.info.shape)))


def slice_evaluations(device: torch.device, dim: int) -> int:
    """Return how many evaluations one slice of rows may have; data have `dim` coordinates."""
    if device.type == "cpu":
        return max(SLICE_EVALUATIONS, SLICE_BYTES // (8 * dim))
    memory = torch.cuda.get_device_properties(device).total_memory
    return max(1, int(SLICE_SHARE * memory) // (8 * dim))


def slices(needed: Sequence[int], labels: int, evaluations: int) -> Iterator[slice]:
    """Cut rows so that the labels of a slice's rows, side by side, fit; a slice has 1 row at least.

    Args:
        needed: how many labels each row needs.
        labels: how many there are.
        evaluations: largest product of the rows of a slice and the labels they need together.
    """
    start, wanted = 0, 0
    for row, count in enumerate(needed):
        wanted += count
        if row > start and (row + 1 - start) * min(wanted, labels) > evaluations:
            yield slice(start, row)
            start, wanted = row, count
    yield slice(start, len(needed))


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether a device, or the processor's allocator, said that it has no more memory."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
