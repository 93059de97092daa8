"""Downloads of the operator: the one place that knows a network, and `models add` alone uses it."""

from pathlib import Path

#: Weights as safetensors, configurations and vocabularies; never a pickle.
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model")


def download(model_id: str, folder: Path) -> Path:
    """Return the folder of a model of the hub, downloaded now.

    Raises:
        ValueError: it cannot be had.
    """
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(model_id, local_dir=folder, allow_patterns=list(WANTED))
    except Exception as error:  # the client raises errors of three libraries
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"--hub: cannot download {model_id!r}: {reason}") from error
    return folder
