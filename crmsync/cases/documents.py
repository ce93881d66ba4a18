"""Parts of YAML documents as documents of their own, so that every statement keeps its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.diagnostics import Span
from crmsync.yamlpos import Document, YamlPath


def wrapped(document: Document, key: str) -> Document:
    """The document as the value of a key: a bare list becomes ``{key: list}``."""
    return Document(
        document.path,
        {key: document.data},
        document.lines,
        {(): document.values[()], **{(key, *path): place for path, place in document.values.items()}},
        {(key, *path): place for path, place in document.keys.items()},
    )


def part(document: Document, path: YamlPath, data: Any) -> Document:
    """What stands at ``path``, as a document that says ``data``."""
    size = len(path)
    values = {p[size:]: place for p, place in document.values.items() if p[:size] == path}
    keys = {p[size:]: place for p, place in document.keys.items() if p[:size] == path and len(p) > size}
    return Document(document.path, data, document.lines, values, keys)


def laid_over(below: Document, above: Document) -> Document:
    """Both as one document: mappings are joined, everything else is replaced."""
    return Layered(
        above.path, merged(below.data, above.data), above.lines, above.values, above.keys, below=below, own=above.data
    )


@dataclass(frozen=True, slots=True)
class Layered(Document):
    """A document over another one: what it does not say itself stands in the one below."""

    below: Document
    own: Any
    """What the upper one says."""

    def span(self, path: YamlPath = ()) -> Span:
        return Document.span(self, path) if self._is_own(path) else self.below.span(path)

    def key_span(self, path: YamlPath) -> Span:
        return Document.key_span(self, path) if self._is_own(path) else self.below.key_span(path)

    def _is_own(self, path: YamlPath) -> bool:
        data = self.own
        for step in path:
            if not isinstance(data, Mapping):
                return True
            if step not in data:
                return False
            data = data[step]
        return True


def merged(below: Any, above: Any) -> Any:
    """Mappings joined key by key; the upper value wins."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    return above
