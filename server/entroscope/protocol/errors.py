"""The small tree of errors that a user can cause; app.py maps them to HTTP, cli.py to exit code 2.

EntroscopeError
├── SpecError        the spec is not one this model can run: field, value, reason
├── InvalidDocument  a document whose fields are off: a SpecError each
├── NotFound         no such run, model, preview
├── Conflict         the thing is not in a state for this
└── Unavailable      Redis or the workers cannot be reached at the moment
"""

from typing import Any


class EntroscopeError(Exception):
    """Anything a user should be told in one sentence."""


class SpecError(EntroscopeError):
    """A field of the spec is off.

    Attributes:
        field: where, dotted ("schedule.sigma_min").
        value: what the field has.
    """

    def __init__(self, field: str, value: Any, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.value, self.reason = field, value, reason


class InvalidDocument(EntroscopeError):
    """A document whose fields are off."""

    def __init__(self, errors: list[SpecError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


class NotFound(EntroscopeError):
    """What was named does not exist."""


class Conflict(EntroscopeError):
    """What was named exists but is not in a state for this request."""


class Unavailable(EntroscopeError):
    """Something the server depends on is out of reach; the request changed nothing."""
