"""Where a user's own things are kept, unless a command says otherwise."""

import os
from pathlib import Path


def default_data_dir() -> Path:
    """Return where runs are kept: $XDG_DATA_HOME/entroscope, else ~/.local/share/entroscope."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "entroscope"


def default_models_file() -> Path:
    """Return the list of the user's own models; it need not be there."""
    return default_data_dir() / "models.toml"
