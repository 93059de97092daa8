"""README, handbook and CONTRIBUTING as the tests read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "frontend/guide"
README, CONTRIBUTING = ROOT / "README.md", ROOT / ".github/CONTRIBUTING.md"
PAGES = sorted(path for path in GUIDE.glob("*.md") if path.name != "README.md")
DOCUMENTS = [README, CONTRIBUTING, GUIDE / "README.md", *PAGES]

FENCED = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


def blocks(document: Path, info: str) -> list[str]:
    """Return the fenced blocks of a document that have exactly these words after the backticks."""
    text = document.read_text(encoding="utf-8")
    return [body for words, body in FENCED.findall(text) if words == info]


def prose(document: Path) -> str:
    """Return a document without its code, fenced or indented."""
    text = FENCED.sub("", document.read_text(encoding="utf-8"))
    return re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
