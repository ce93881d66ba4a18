"""A Salesforce org and a HubSpot portal on loopback, close enough for the vendors' own clients, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    """``Sandbox`` on demand: the web server behind it is not needed to import a part of the sandbox."""
    if name == "Sandbox":
        from crmsync.sandbox.server import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
