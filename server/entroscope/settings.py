"""What a server is told at its start."""

import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entroscope.protocol.spec import MAX_EVALUATIONS

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(BaseModel):
    """All settings of a server.

    Attributes:
        token: whoever wants in must know it; None only on loopback (one is made elsewhere).
        allow_hosts: further names under which browsers may reach the server.
        max_evaluations: largest run accepted, in evaluations (sample, label, sigma).
        max_batches: largest number of batches of one run.
        max_record_bytes: largest size of the sums of one batch.
        max_run_bytes: largest size of the sums of all batches of a run.
        max_redis_bytes: what all live runs together may take of Redis; 80 % of its maxmemory where
            that is less.
        max_connections: connections at a time, where the system has files for so many.
        headers_s, body_s: time that a client has for the headers of a request, and for its body.
        stall_s: a viewer that takes nothing for so long is closed.
        idle_s: a run nobody looks at is forgotten by the broadcast (not the log) after so long.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: str
    data_dir: Path
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    token: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None = None
    allow_hosts: tuple[str, ...] = ()
    max_evaluations: Annotated[int, Field(ge=1)] = MAX_EVALUATIONS
    max_batches: Annotated[int, Field(ge=1)] = 4096
    max_record_bytes: Annotated[int, Field(ge=1)] = 64 * 2**20
    max_run_bytes: Annotated[int, Field(ge=1)] = 4 * 2**30
    max_redis_bytes: Annotated[int, Field(ge=1)] = 16 * 2**30
    max_body_bytes: Annotated[int, Field(ge=1)] = 2**20
    max_connections: Annotated[int, Field(ge=1)] = 4096
    headers_s: Annotated[float, Field(gt=0)] = 10.0
    body_s: Annotated[float, Field(gt=0)] = 60.0
    stall_s: Annotated[float, Field(gt=0)] = 30.0
    idle_s: Annotated[float, Field(ge=0)] = 60.0
    tend_s: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _guarded(cls, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("token") is None and not is_loopback(fields.get("host", "127.0.0.1")):
            return fields | {"token": secrets.token_urlsafe(24)}
        return fields

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a request may have as its Host, in lower case, without port."""
        return LOOPBACK_NAMES | self.named_hosts

    @property
    def named_hosts(self) -> frozenset[str]:
        """Names beyond loopback: pages of these may use the server whatever their port is."""
        named = {name.lower().strip("[]") for name in (self.host, *self.allow_hosts)}
        return frozenset(named - LOOPBACK_NAMES)

    def address(self, port: int | None = None) -> str:
        """Return the URL to open in a browser, with the token where there is one."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        query = f"/?token={self.token}" if self.token else ""
        return f"http://{host}:{self.port if port is None else port}{query}"
