"""Where the page's files are: inside the wheel, or beside the packages in the repository."""

from pathlib import Path


def page_folder() -> Path:
    """Return the folder of the page's files."""
    here = Path(__file__).parent
    inside = here / "page"
    return inside if inside.is_dir() else here.parents[1] / "frontend"
