"""From a mapping file to a checked, compiled mapping."""

from __future__ import annotations

from pathlib import Path

from crmsync.errors import ConfigError
from crmsync.mappings.check import check_file
from crmsync.mappings.compile import Origin, compile_field
from crmsync.mappings.fields import FieldMapping
from crmsync.mappings.mapping import KindMapping, LinkMapping, Mapping
from crmsync.mappings.model import MappingFile, ObjectEntry
from crmsync.mappings.tasks import TaskMapping
from crmsync.records import FieldType, field_types
from crmsync.yamlpos import Document, YamlPath, load_yaml, sort_diagnostics, validate


def load_mapping(path: Path | str, *, system: str) -> Mapping:
    """Read, check and compile a mapping file for a connection to ``system``.

    :raises ConfigError: with every problem of the file.
    """
    return build_mapping(load_yaml(path), system=system)


def build_mapping(document: Document, *, system: str) -> Mapping:
    """The same for a document that is read already."""
    file = validate(document, MappingFile)
    if problems := check_file(file, document, system):
        raise ConfigError(sort_diagnostics(problems))
    kinds = {kind: _kind(kind, entry, file.system, document) for kind, entry in file.objects.items()}
    links = [LinkMapping(name, entry, document.key_span(("links", name))) for name, entry in file.links.items()]
    task = TaskMapping(file.system, file.tasks, document.key_span(("tasks",))) if file.tasks else None
    return Mapping(file, kinds, links, task, document)


def _kind(kind: str, entry: ObjectEntry, system: str, document: Document) -> KindMapping:
    path: YamlPath = ("objects", kind)
    types = field_types(kind)
    fields: dict[str, FieldMapping] = {}
    for name, item in entry.fields.items():
        origin = Origin(kind, system, entry.object, document.key_span((*path, "fields", name)))
        fields[name] = compile_field(name, item, types[name], origin)
    for name, extra in entry.extra.items():
        origin = Origin(kind, system, entry.object, document.key_span((*path, "extra", name)))
        fields[name] = compile_field(name, extra, FieldType(extra.type, extra.options), origin)
    return KindMapping(
        kind,
        entry.object,
        entry.where,
        entry.key,
        entry.title,
        fields,
        document.key_span(path),
        fingerprint=entry.fingerprint,
    )
