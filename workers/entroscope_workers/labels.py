"""Names of the classes of a model."""

from pathlib import Path


def label_names(labels: str | None, count: int) -> tuple[str, ...]:
    """Return the names of `count` classes: a file's lines, or their numbers where none is given.

    Raises:
        ValueError: the file cannot be read, or has another number of lines.
    """
    if labels is None:
        return tuple(map(str, range(count)))
    try:
        names = tuple(line.strip() for line in Path(labels).read_text().splitlines())
    except (OSError, ValueError) as error:
        raise ValueError(f"labels: cannot read {labels!r}: {error}") from error
    if len(names) != count:
        raise ValueError(f"labels: {labels!r} has {len(names)} names, the model {count} classes")
    return names
