"""Names fit for the keys of curves."""

import re
from collections.abc import Sequence
from itertools import count

#: Of a slug as users may write it.
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
#: Of a slug made of a name, which may be a whole prompt.
LONGEST = 80


def slug(name: str) -> str:
    """Return a name fit for a curve's key: lower case, letters, digits and single hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:LONGEST].strip("-") or "x"


def unique_slugs(names: Sequence[str]) -> list[str]:
    """Return one slug a name; the later of two equal ones gets its index (or more) appended."""
    taken: set[str] = set()
    slugs = []
    for index, name in enumerate(names):
        plain = slug(name)
        more = count(index)
        unique = plain
        while unique in taken:
            unique = f"{plain}-{next(more)}"
        taken.add(unique)
        slugs.append(unique)
    return slugs
