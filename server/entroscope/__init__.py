"""Entroscope: see when a diffusion model makes up its mind."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entroscope.client.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """Import the client only where it is asked for: everything below this package stays light."""
    if name == "Client":
        from entroscope.client.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
