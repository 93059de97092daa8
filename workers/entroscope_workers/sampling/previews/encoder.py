"""Previews made beside the sampling: copying, drawing and encoding do not hold it up."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.records import Preview
from entroscope.protocol.spec import Decode
from entroscope_workers.models.base import DecodesLatents, Model
from entroscope_workers.sampling.previews.sprite_sheets import sprite_sheet

Draw = Callable[[Tensor], NDArray[np.uint8]]


class Sheets:
    """Sprite sheets under way, in the order of their steps, drawn by one thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="previews")
        self._waiting: deque[Future[Preview]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def add(self, header: Mapping[str, Any], x: Tensor, draw: Draw) -> None:
        """Take data x (samples, *data), which nobody may change any more."""
        self._waiting.append(self._thread.submit(_drawn, header, x, draw))

    def ready(self) -> Iterator[Preview]:
        """Yield the sheets that are done, up to the first that is not."""
        while self._waiting and self._waiting[0].done():
            yield self._waiting.popleft().result()

    def rest(self) -> Iterator[Preview]:
        """Wait for all others and yield them."""
        while self._waiting:
            yield self._waiting.popleft().result()


@torch.inference_mode()
def _drawn(header: Mapping[str, Any], x: Tensor, draw: Draw) -> Preview:
    return Preview(header, sprite_sheet(draw(x)))


def drawing(model: Model, decode: Decode, *, last: bool) -> Draw:
    """Return what draws data of the model: latents are decoded where that is asked for."""
    wanted = decode == "all" or (decode == "last" and last)
    return model.decode if wanted and isinstance(model, DecodesLatents) else model.pictures
