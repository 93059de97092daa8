"""Prompts as a diffusion model reads them: the last hidden states of a CLIP text encoder."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from entroscope.protocol.errors import SpecError
from entroscope_workers.models.checkpoints.diffusers_folder import read_config
from entroscope_workers.models.checkpoints.shapes import check_shapes

#: Lists of prompts whose encoding is kept: one for every run under way, and some more.
MOST_KEPT = 16
#: What errors show of a long prompt.
SHOWN = 60
WEIGHTS = ("model.safetensors", "model.fp16.safetensors")


class TextEncoder:
    """A tokenizer and the encoder that reads its tokens; lists of prompts are encoded once."""

    def __init__(self, tokenizer: Any, network: Any, device: torch.device) -> None:
        self._tokenizer, self._device = tokenizer, device
        self._network = network.to(device).eval().requires_grad_(False)
        self._kept: OrderedDict[tuple[str, ...], Tensor] = OrderedDict()

    @property
    def width(self) -> int:
        """Length of the state of one token."""
        return int(self._network.config.hidden_size)

    @property
    def tokens(self) -> int:
        """Tokens of every prompt, padded; longer prompts cannot be read."""
        known = int(self._network.config.max_position_embeddings)
        return min(known, int(self._tokenizer.model_max_length))

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Return the states of prompts and, last, of the empty one: (prompts + 1, tokens, width).

        Raises:
            SpecError: a prompt is too long, or reads the same as another.
        """
        asked = tuple(prompts)
        if asked not in self._kept:
            self._kept[asked] = self._encode([*asked, ""])
        self._kept.move_to_end(asked)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[asked]

    @torch.inference_mode()
    def _encode(self, prompts: list[str]) -> Tensor:
        self._check(prompts)
        padded = self._tokenizer(
            prompts, padding="max_length", max_length=self.tokens, return_tensors="pt"
        )
        masked = getattr(self._network.config, "use_attention_mask", False)
        mask = padded["attention_mask"].to(self._device) if masked else None
        states: Tensor = self._network(padded["input_ids"].to(self._device), attention_mask=mask)[0]
        return states

    def _check(self, prompts: Sequence[str]) -> None:
        seen = dict[tuple[int, ...], str]()
        for index, prompt in enumerate(prompts):
            tokens = tuple(self._tokenizer(prompt, verbose=False)["input_ids"])
            field = f"params.prompts.{index}"
            if len(tokens) > self.tokens:
                reason = f"has {len(tokens)} tokens, the model reads {self.tokens} at most"
                raise SpecError(field, prompt, f"{_short(prompt)!r} {reason}")
            if tokens in seen:
                other = _short(seen[tokens]) or "no prompt"
                raise SpecError(field, prompt, f"reads the same to the model as {other!r}")
            seen[tokens] = prompt


def load_text_encoder(
    folder: Path, device: torch.device, weights: Mapping[str, Tensor] | None = None
) -> tuple[TextEncoder, list[Path]]:
    """Return the text encoder of a pipeline's folder, and the files it was read from.

    Args:
        weights: of the network, where they are not in the folder.
    Raises:
        ValueError: transformers is not installed, or which file is off.
    """
    try:
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
    except ImportError:
        raise ValueError(
            "prompts need the package transformers: pip install 'entroscope[text]'"
        ) from None
    config = folder / "text_encoder" / "config.json"
    document = read_config(config)
    network = _made(config, lambda: CLIPTextModel(CLIPTextConfig.from_dict(document)))
    files = [config, *_tokenizer_files(folder / "tokenizer")]
    if weights is None:
        path = _weights_file(folder / "text_encoder")
        files.append(path)
        weights = _read(path)
    _fill(network, weights, files[-1])
    words = folder / "tokenizer"
    tokenizer = _made(
        words, lambda: CLIPTokenizer.from_pretrained(str(words), local_files_only=True)
    )
    return TextEncoder(tokenizer, network, device), files


def _made(path: Path, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # tokenizers raises nothing more special
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected CLIP's: {reason}") from error


def _tokenizer_files(folder: Path) -> list[Path]:
    files = [folder / name for name in ("vocab.json", "merges.txt")]
    for path in files:
        if not path.is_file():
            raise ValueError(f"{folder}: expected {path.name} in it, found none")
    return files


def _weights_file(folder: Path) -> Path:
    for name in WEIGHTS:
        if (path := folder / name).is_file():
            return path
    raise ValueError(f"{folder}: expected {WEIGHTS[0]} in it, found none")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: expected weights in safetensors: {error}") from error


def _fill(network: Any, weights: Mapping[str, Tensor], path: Path) -> None:
    """Fill a CLIPTextModel; transformers 5.6 dropped the wrapper whose name the files keep."""
    expected = network.state_dict()
    start = "" if any(name.startswith("text_model.") for name in expected) else "text_model."
    text_weights = {
        name.removeprefix(start): weight.float()
        for name, weight in weights.items()
        if not name.endswith(".position_ids")  # a table of 0, 1, 2, ... that old files hold
    }
    check_shapes(text_weights, expected, path)
    network.load_state_dict(text_weights)


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= SHOWN else f"{prompt[: SHOWN - 3]}..."
