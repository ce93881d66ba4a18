"""The window: web pages at ``/_sandbox/window/`` that show both CRMs as the people who work in them see them."""

from __future__ import annotations

from crmsync.sandbox.window.pages import Window
from crmsync.sandbox.window.traffic import Traffic

__all__ = ["Traffic", "Window"]
