"""What can be told about a mapping without asking the CRM: every name, type and mode, at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from crmsync.diagnostics import Diagnostic, did_you_mean
from crmsync.mappings.compile import parse_target
from crmsync.mappings.model import ExtraEntry, FieldEntry, LinkEntry, MappingFile, Mode, ObjectEntry
from crmsync.mappings.transforms import TRANSFORMS
from crmsync.mappings.vocabulary import ENGINE_WRITES, LINKS, REQUIRED_FIELDS, REQUIRED_KINDS, is_reference
from crmsync.records import KINDS, FieldType, field_types
from crmsync.yamlpos import Document, YamlPath

Problems = Iterator[Diagnostic]


def check_file(file: MappingFile, document: Document, system: str) -> list[Diagnostic]:
    """All problems of a mapping file whose shape is right. ``system`` is the CRM of the connection that uses it."""
    checker = _Checker(file, document)
    if wrong := list(checker.check_system(system)):
        return wrong  # everything else would be judged by the names of the other CRM
    return [*checker.check_objects(), *checker.check_links(), *checker.check_writers()]


class _Checker:
    def __init__(self, file: MappingFile, document: Document) -> None:
        self.file = file
        self.document = document

    def check_system(self, wanted: str) -> Problems:
        if self.file.system != wanted:
            message = f"the mapping is for {self.file.system}, the connection is {wanted}"
            hint = f"name a mapping with 'system: {wanted}' in crmsync.yaml"
            yield Diagnostic("E241", message, self.document.span(("system",)), hint)

    # -------------------------------------------------------------- objects

    def check_objects(self) -> Problems:
        for kind, entry in self.file.objects.items():
            if kind in KINDS:
                yield from self._check_object(kind, entry)
            else:
                yield self._unknown("E231", "kind", kind, KINDS, ("objects", kind))
        for kind in REQUIRED_KINDS:
            if kind not in self.file.objects and not self._is_misspelt(kind, self.file.objects):
                message = f"the kind '{kind}' is not mapped, the rules need it"
                yield Diagnostic(
                    "E236", message, self.document.key_span(("objects",)), f"add '{kind}:' under 'objects'"
                )

    def _check_object(self, kind: str, entry: ObjectEntry) -> Problems:
        path: YamlPath = ("objects", kind)
        types = field_types(kind)
        for name, item in entry.fields.items():
            where = (*path, "fields", name)
            if name == "id":
                yield self._at("E232", f"'{kind}.id' is always the record's own id", where, "remove the line")
            elif name not in types:
                hint = did_you_mean(name, types) or "put a field of your own under 'extra:'"
                yield self._at("E232", f"unknown field '{name}' of a {kind}", where, hint)
            else:
                yield from self._check_field(kind, name, item, types[name], where)
        for name, extra in entry.extra.items():
            yield from self._check_extra(kind, name, extra, (*path, "extra", name), types)
        yield from self._check_required(kind, entry, path)
        yield from self._check_key(kind, entry, path)
        yield from self._check_where(entry, path)

    def _check_required(self, kind: str, entry: ObjectEntry, path: YamlPath) -> Problems:
        for name in REQUIRED_FIELDS.get(kind, ()):
            if name not in entry.fields and not self._is_misspelt(name, entry.fields, field_types(kind)):
                message = f"'{kind}.{name}' is not mapped, the rules need it"
                yield self._at("E236", message, (*path, "fields"), f"add '{name}:' with the CRM's field")

    def _check_key(self, kind: str, entry: ObjectEntry, path: YamlPath) -> Problems:
        if not entry.key:
            if kind == "registration":
                message = "a registration needs a key, so that none is created twice"
                yield self._at("E240", message, path, "add 'key: number'")
            return
        mapped = entry.fields.get(entry.key)
        if mapped is None:
            hint = did_you_mean(entry.key, entry.fields) or "name a field that is mapped below"
            yield self._at_value("E240", f"the key '{entry.key}' is not a mapped field", (*path, "key"), hint)
        elif len(mapped.sources) != 1 or mapped.values or mapped.transforms:
            message = f"the key '{entry.key}' must be one CRM field, as it is"
            yield self._at("E240", message, (*path, "fields", entry.key), "map it without values and transforms")

    def _check_where(self, entry: ObjectEntry, path: YamlPath) -> Problems:
        where = entry.where
        if where and where.in_ is None and where.not_in is None and where.filled is None:
            message = "the condition compares with nothing"
            yield self._at("E238", message, (*path, "where"), "add 'in: […]', 'not_in: […]' or 'filled: true'")

    # -------------------------------------------------------------- fields

    def _check_extra(
        self, kind: str, name: str, entry: ExtraEntry, path: YamlPath, types: Mapping[str, FieldType]
    ) -> Problems:
        if name in types or name in ("id", "extra"):
            yield self._at(
                "E242",
                f"'{name}' is a field of every {kind} already",
                path,
                "choose another name, or map it under 'fields'",
            )
        elif not name.isidentifier() or not name.islower():
            message = f"'{name}' is not a name that rules could use"
            yield self._at("E242", message, path, "use lower case letters, digits and '_'")
        if entry.mode is not Mode.READ_ONLY:
            yield self._at_value("E237", "crmsync never writes an extra field", (*path, "mode"), "remove the mode")
        if entry.options and entry.type != "text":
            yield self._at_value(
                "E244", f"options are for text, the field is {entry.type}", (*path, "options"), "remove the options"
            )
            return
        yield from self._check_field(kind, name, entry, FieldType(entry.type, entry.options), path)

    def _check_field(self, kind: str, name: str, entry: FieldEntry, type_: FieldType, path: YamlPath) -> Problems:
        yield from self._check_source(entry, path)
        yield from self._check_transforms(entry, path)
        yield from self._check_targets(name, entry, type_, path)
        yield from self._check_fit(kind, name, entry, type_, path)
        yield from self._check_mode(kind, name, entry, path)

    def _check_source(self, entry: FieldEntry, path: YamlPath) -> Problems:
        given = [bool(entry.sources and all(entry.sources)), bool(entry.association), entry.constant is not None]
        if sum(given) != 1:
            found = "nothing" if not any(given) else "more than one source"
            hint = "give one of: field, association, constant"
            yield self._at("E238", f"found {found} to read the field from", path, hint)
        if entry.association and self.file.system == "salesforce":
            message = "Salesforce has no associations"
            yield self._at("E239", message, (*path, "association"), "name the lookup field: 'field: AccountId'")
        if entry.label and not entry.association:
            yield self._at("E238", "a label belongs to an association", (*path, "label"), "remove the label")

    def _check_transforms(self, entry: FieldEntry, path: YamlPath) -> Problems:
        for number, name in enumerate(entry.transforms):
            if name not in TRANSFORMS:
                place = (*path, "transform") if isinstance(entry.transform, str) else (*path, "transform", number)
                hint = did_you_mean(name, TRANSFORMS) or f"known transforms: {', '.join(TRANSFORMS)}"
                yield self._at_value("E233", f"unknown transform '{name}'", place, hint)

    def _check_targets(self, name: str, entry: FieldEntry, type_: FieldType, path: YamlPath) -> Problems:
        targets: list[tuple[YamlPath, str | None]] = [((*path, "values", raw), t) for raw, t in entry.values.items()]
        targets += [((*path, key), t) for key, t in (("constant", entry.constant), ("default", entry.default)) if t]
        for place, target in targets:
            try:
                parse_target(target, type_)
            except ValueError:
                wanted = f"one of: {', '.join(type_.options)}" if type_.options else type_.base
                hint = did_you_mean(str(target), type_.options) or f"wanted {wanted}"
                yield self._at_value("E234", f"'{target}' is not a value of '{name}'", place, hint)

    def _check_fit(self, kind: str, name: str, entry: FieldEntry, type_: FieldType, path: YamlPath) -> Problems:
        if is_reference(kind, name) and (entry.values or entry.transforms):
            key = "values" if entry.values else "transform"
            message = f"'{name}' holds a record id, it is read as it is"
            yield self._at("E244", message, (*path, key), f"remove '{key}'")
        if entry.association and not is_reference(kind, name):
            yield self._at("E244", f"'{name}' holds no record id", (*path, "association"), "name a 'field'")
        if "separator" in entry.model_fields_set and (type_.base != "list" or not entry.separator):
            message = "a separator is for lists" if type_.base != "list" else "the separator is empty"
            yield self._at("E244", message, (*path, "separator"), "remove the separator")
        if entry.max is not None and type_.base not in ("text", "list"):
            yield self._at("E244", f"'max' is for text, the field is {type_.base}", (*path, "max"), "remove 'max'")
        if entry.mode in (Mode.READ_ONLY, Mode.SUGGEST):
            for key in sorted({"on_user_edit", "on_null", "contended"} & entry.model_fields_set):
                message = f"'{key}' is for fields that crmsync writes"
                yield self._at("E244", message, (*path, key), f"remove '{key}', or add a mode")
        if entry.cut and (entry.max is None or type_.base != "text" or type_.options):
            yield self._at("E244", "'cut' needs free text and a 'max'", (*path, "cut"), "add 'max', or remove 'cut'")

    def _check_mode(self, kind: str, name: str, entry: FieldEntry, path: YamlPath) -> Problems:
        if entry.mode in (Mode.READ_ONLY, Mode.SUGGEST) or isinstance(entry, ExtraEntry):
            return
        if name not in ENGINE_WRITES.get(kind, ()):
            message = f"crmsync never writes '{kind}.{name}'"
            yield self._at_value("E237", message, (*path, "mode"), "remove the mode, the field is read only")
        elif len(entry.sources) != 1:
            message = f"'{kind}.{name}' cannot be written, it is not one field"
            yield self._at_value("E243", message, (*path, "mode"), "name one CRM field, or remove the mode")

    def check_writers(self) -> Problems:
        """Two canonical fields that write one CRM field would fight for ever."""
        first: dict[tuple[str, str], str] = {}
        prints = {entry.object: entry.fingerprint for entry in self.file.objects.values() if entry.fingerprint}
        for kind, entry in self.file.objects.items():
            yield from self._check_fingerprint(kind, entry, prints)
            for name, item in entry.fields.items():
                if item.mode in (Mode.READ_ONLY, Mode.SUGGEST) or len(item.sources) != 1:
                    continue
                place = (entry.object, item.sources[0])
                known = first.setdefault(place, f"{kind}.{name}")
                if known != f"{kind}.{name}":
                    message = f"'{place[1]}' of {place[0]} is written by '{known}' as well"
                    yield self._at("E235", message, ("objects", kind, "fields", name), "make one of the two read_only")

    def _check_fingerprint(self, kind: str, entry: ObjectEntry, prints: Mapping[str, str]) -> Problems:
        """One field of one's own per object: whatever kind of record is written there, it is the same record."""
        own = prints.get(entry.object, "")
        if entry.fingerprint and entry.fingerprint != own:
            message = f"'{entry.object}' has two fingerprints, '{entry.fingerprint}' and '{own}'"
            yield self._at_value("E235", message, ("objects", kind, "fingerprint"), "name the same field, or only one")
        for name, item in entry.fields.items():
            if own and own in item.sources:
                message = f"'{own}' is the fingerprint of {entry.object}, nothing else can be in it"
                yield self._at("E235", message, ("objects", kind, "fields", name), "map another field")

    # -------------------------------------------------------------- links

    def check_links(self) -> Problems:
        for name, entry in self.file.links.items():
            path: YamlPath = ("links", name)
            if name not in LINKS:
                yield self._unknown("E245", "link", name, LINKS, path)
            else:
                yield from self._check_link(name, entry, path)

    def _check_link(self, name: str, entry: LinkEntry, path: YamlPath) -> Problems:
        if self.file.system == "salesforce":
            if not entry.object:
                yield self._at(
                    "E239", "a link of Salesforce needs an object", path, "add 'object:', such as OpportunityPartner"
                )
            return
        if entry.object:
            yield self._at("E239", "HubSpot keeps links as associations", (*path, "object"), "remove 'object'")
        for key, given, kind in zip(("from", "to"), (entry.from_, entry.to), LINKS[name], strict=True):
            wanted = self.file.objects.get(kind)
            if wanted and wanted.object != given:
                message = f"'{name}' ties {LINKS[name][0]}s to {LINKS[name][1]}s, found '{given}'"
                yield self._at_value("E245", message, (*path, key), f"did you mean '{wanted.object}'?")

    # -------------------------------------------------------------- diagnostics

    def _unknown(self, code: str, what: str, word: str, known: Iterable[str], path: YamlPath) -> Diagnostic:
        names = list(known)
        hint = did_you_mean(word, names) or f"known: {', '.join(names)}"
        return Diagnostic(code, f"unknown {what} '{word}'", self.document.key_span(path), hint)

    def _at(self, code: str, message: str, path: YamlPath, hint: str) -> Diagnostic:
        return Diagnostic(code, message, self.document.key_span(path), hint)

    def _at_value(self, code: str, message: str, path: YamlPath, hint: str) -> Diagnostic:
        return Diagnostic(code, message, self.document.span(path), hint)

    @staticmethod
    def _is_misspelt(word: str, given: Iterable[str], known: Iterable[str] = KINDS) -> bool:
        """Whether one of the given names, itself unknown, was meant to be this one: one mistake, one message."""
        return any(did_you_mean(name, known) == f"did you mean '{word}'?" for name in given if name not in known)
