"""A model that can be had: its name, where it is from, and what loads it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from entroscope_workers.models.base import Model

Loader = Callable[[torch.device], Model]


@dataclass(frozen=True, slots=True)
class Offer:
    """One model that is not loaded yet.

    Attributes:
        where: the file, the entry point or "bundled"; with the name it is the offer's identity.
        fault: what is wrong as far as can be seen without loading, or None.
    """

    name: str
    family: str
    where: str
    loader: Loader
    fault: str | None = None

    def load(self, device: torch.device) -> Model:
        """Load the model.

        Raises:
            ValueError: what is wrong, in one sentence, whatever the loader has raised.
        """
        if self.fault:
            raise ValueError(self._said(self.fault))
        try:
            model = self.loader(device)
            announced = model.info.name
        except Exception as error:  # a model may be anyone's program
            raise ValueError(self._said(one_line(error))) from error
        if announced != self.name:
            raise ValueError(self._said(f"{self.where}: its info calls itself {announced!r}"))
        return model

    def _said(self, what: str) -> str:
        start = f"model {self.name!r}: "
        return what if what.startswith(start) else start + what


def faulty(name: str, family: str, where: str, fault: str) -> Offer:
    """Return an offer for a model that failed to load; loading it raises."""

    def refuse(device: torch.device) -> Model:
        raise ValueError(fault)

    return Offer(name, family, where, refuse, fault)


def one_line(error: Exception) -> str:
    """Return what an exception says, with its kind unless it is a ValueError or OSError."""
    lines = str(error).strip().splitlines() or ["(no message)"]
    plain = isinstance(error, ValueError | OSError)
    return lines[0] if plain else f"{type(error).__name__}: {lines[0]}"
