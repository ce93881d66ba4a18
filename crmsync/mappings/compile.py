"""From written entries to functions: each field becomes a reader and a writer, each CRM object a flat plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.diagnostics import Span
from crmsync.mappings import values as raw_values
from crmsync.mappings.fields import FieldMapping, ReadValue, Tie, WriteValue
from crmsync.mappings.model import ANY_OTHER, ExtraEntry, FieldEntry
from crmsync.mappings.transforms import TRANSFORMS, Transform
from crmsync.records import FieldType, Value
from crmsync.remote import Scalar


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a field entry stands: its kind, the CRM and the object it belongs to, and its place in the file."""

    kind: str
    system: str
    object: str
    span: Span


def compile_field(name: str, entry: FieldEntry, field_type: FieldType, origin: Origin) -> FieldMapping:
    """A field entry as functions.

    :raises ValueError: for a target of the value map, a constant or a default that the type cannot be.
    """
    mapped = _mapped_values(entry, field_type)
    by_value = _first_spelling(mapped)
    sources = entry.sources
    empty = entry.constant if entry.constant is not None else entry.default
    return FieldMapping(
        kind=origin.kind,
        field=name,
        object=origin.object,
        remote_field=sources[0] if len(sources) == 1 else "",
        remote_fields=sources,
        type=field_type,
        mode=entry.mode,
        span=origin.span,
        read=_reader(entry, field_type, mapped),
        write=_writer(entry, field_type, origin.system, by_value),
        tie=Tie(entry.association, entry.label) if entry.association else None,
        default=parse_target(empty, field_type),
        raw_options=tuple(raw for raw in entry.values if raw != ANY_OTHER) or field_type.options,
        writes_options=tuple(by_value.values()) or field_type.options,
        max_length=entry.max,
        is_extra=isinstance(entry, ExtraEntry),
        on_user_edit=entry.on_user_edit,
        on_null=entry.on_null,
        contended=entry.contended,
        separator=entry.separator,
    )


def parse_target(text: str | None, field_type: FieldType) -> Value:
    """The target of a value map, a constant or a default, as the field's type.

    :raises ValueError: if it is none.
    """
    if text is None:
        return None
    if field_type.options:
        return field_type.options[field_type.options.index(text)]  # the enum's member, not its text
    return (text,) if field_type.base == "list" else raw_values.READERS[field_type.base](text)


def _mapped_values(entry: FieldEntry, field_type: FieldType) -> dict[str, Value]:
    return {raw: parse_target(target, field_type) for raw, target in entry.values.items()}


def _first_spelling(mapped: Mapping[str, Value]) -> dict[Value, str]:
    """Canonical value to the CRM value that is written for it: the first one listed."""
    spellings: dict[Value, str] = {}
    for raw, value in mapped.items():
        if raw != ANY_OTHER and value is not None:
            spellings.setdefault(value, raw)
    return spellings


def _reader(entry: FieldEntry, field_type: FieldType, mapped: Mapping[str, Value]) -> ReadValue:
    read = _plain_reader(entry, field_type)
    if mapped:
        listed = {raw: value for raw, value in mapped.items() if raw != ANY_OTHER}
        passes = field_type.base == "text" and not field_type.options
        if field_type.base == "list":
            read = _list_map_reader(read, {raw: target for raw, target in entry.values.items() if raw != ANY_OTHER})
        elif ANY_OTHER in mapped:
            read = raw_values.map_reader(listed, other=mapped[ANY_OTHER])
        else:
            read = raw_values.map_reader(listed, then=read if passes else None)
    for transform in reversed(_transforms(entry)):
        read = raw_values.chain(transform.read, read)
    return read


def _plain_reader(entry: FieldEntry, field_type: FieldType) -> ReadValue:
    if field_type.options:
        return raw_values.option_reader(field_type.options)
    if field_type.base == "list":
        return raw_values.list_reader(entry.separator)
    return raw_values.READERS[field_type.base]


def _list_map_reader(read: ReadValue, targets: Mapping[str, str | None]) -> ReadValue:
    def read_each(raw: Scalar) -> Value:
        items = read(raw)
        named = {targets.get(item, item) for item in items} if isinstance(items, tuple) else set()
        return tuple(sorted(item for item in named if item))

    return read_each


def _writer(entry: FieldEntry, field_type: FieldType, system: str, by_value: Mapping[Value, str]) -> WriteValue:
    write = _plain_writer(entry, field_type, system)
    if by_value and field_type.base == "list":
        write = _list_map_writer(write, {v[0]: raw for v, raw in by_value.items() if isinstance(v, tuple)})
    elif by_value:
        passes = field_type.base == "text" and not field_type.options
        write = raw_values.map_writer(by_value, then=write if passes else None)
    for transform in _transforms(entry):
        if transform.write is not None:
            write = _write_back(write, transform)
    return raw_values.limit_writer(write, entry.max, cut=entry.cut) if entry.max else write


def _plain_writer(entry: FieldEntry, field_type: FieldType, system: str) -> WriteValue:
    if field_type.base == "list":
        return raw_values.list_writer(entry.separator)
    return raw_values.WRITERS[system][field_type.base]


def _list_map_writer(write: WriteValue, spellings: Mapping[str, str]) -> WriteValue:
    def write_each(value: Value) -> Scalar:
        items = value if isinstance(value, tuple) else ()
        return write(tuple(spellings.get(item, item) for item in items))

    return write_each


def _write_back(write: WriteValue, transform: Transform) -> WriteValue:
    back = transform.write
    assert back is not None  # noqa: S101 - the caller has looked

    def write_changed(value: Value) -> Scalar:
        raw = write(value)
        changed = back(raw)
        return raw_values.as_text(changed) if isinstance(raw, str) else changed

    return write_changed


def _transforms(entry: FieldEntry) -> list[Transform]:
    return [TRANSFORMS[name] for name in entry.transforms if name in TRANSFORMS]
