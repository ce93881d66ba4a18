"""Paths without the ids and values in them, for the log."""

from __future__ import annotations

import re
from urllib.parse import unquote

_VERSION = re.compile(r"v\d+(\.\d+)?|\d{4}-\d{2}")
_PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z_]*(-[A-Za-z]+)*|[A-Za-z][A-Za-z0-9_]*__[a-z]|oauth2|p_[a-z0-9_]+")
_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
_OBJECT_TYPE_ID = re.compile(r"[02]-\d+")


def path_template(path: str) -> str:
    """The path with everything that could name a record replaced: what is no known kind of word is ``{}``."""
    return "/".join(_segment(unquote(segment)) for segment in path.split("/"))


def _segment(segment: str) -> str:
    if not segment or _VERSION.fullmatch(segment) or _OBJECT_TYPE_ID.fullmatch(segment):
        return segment
    if _SALESFORCE_ID.fullmatch(segment) and any(c.isdigit() for c in segment):
        return "{}"
    return segment if _PLAIN_WORD.fullmatch(segment) else "{}"
