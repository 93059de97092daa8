"""Pickles that want more than to be data, and what the import says of them."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from publishing import Persistent, network

from entroscope_workers.importing.nvidia import import_published

SYSTEM = f"refused: {os.system.__module__}.system"


PROOF = Path("was-run")


class Gadget:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo > {PROOF}",)


def small() -> Persistent:
    return network("Precond", {"label_dim": 2}, {"unet.enc.conv.weight": torch.ones(2, 3)})


def said(content: bytes) -> str:
    """Return the sentence a file ends with; it must be one, and nothing may have happened."""
    file = Path("x.pkl")
    file.write_bytes(content)
    loaded = set(sys.modules)
    with pytest.raises(ValueError) as caught:
        import_published(file, Path("x.safetensors"))
    sentence = str(caught.value)
    assert sentence.startswith("x.pkl: ") and "\n" not in sentence and len(sentence) < 300
    assert list(Path().glob("x.*")) == [file] and not PROOF.exists()
    assert not {name for name in set(sys.modules) - loaded if "evil" in name}
    return sentence.removeprefix("x.pkl: ")


def storage_bytes(content: bytes) -> bytes:
    return pickle.dumps({"ema": _Storage(content)})


class _Storage:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return torch.storage._load_from_bytes, (self.content,)
