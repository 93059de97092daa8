"""Where things are: runs and models of the user, and the files of the page."""

import os
from pathlib import Path


def default_data_dir() -> Path:
    """Return where runs are kept: $XDG_DATA_HOME/entroscope, else ~/.local/share/entroscope."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "entroscope"


def default_models_file() -> Path:
    """Return the list of the user's own models; it need not be there."""
    return default_data_dir() / "models.toml"


def page_folder() -> Path:
    """Return the folder of the page: inside the wheel, or beside the packages in the repository."""
    here = Path(__file__).parent
    inside = here / "page"
    return inside if inside.is_dir() else here.parents[1] / "frontend"
