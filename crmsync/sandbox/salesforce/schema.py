"""Objects and fields: the describe of a field is kept sparse and filled from the defaults of its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT_TYPES = frozenset(
    [
        "string",
        "textarea",
        "picklist",
        "multipicklist",
        "combobox",
        "phone",
        "url",
        "email",
        "encryptedstring",
        "anyType",
    ]
)
NUMBER_TYPES = frozenset({"int", "double", "currency", "percent"})

# What most fields of real describes say; per type only what differs (counted over the recorded describes).
_BASE: dict[str, Any] = {
    "aggregatable": True, "aiPredictionField": False, "autoNumber": False, "byteLength": 0, "calculated": False,
    "calculatedFormula": None, "cascadeDelete": False, "caseSensitive": False, "compoundFieldName": None,
    "controllerName": None, "createable": True, "custom": False, "defaultValue": None, "defaultValueFormula": None,
    "defaultedOnCreate": False, "dependentPicklist": False, "deprecatedAndHidden": False, "digits": 0,
    "displayLocationInDecimal": False, "encrypted": False, "externalId": False, "extraTypeInfo": None,
    "filterable": True, "filteredLookupInfo": None, "formulaTreatNullNumberAsZero": False, "groupable": True,
    "highScaleNumber": False, "htmlFormatted": False, "idLookup": False, "inlineHelpText": None, "label": "",
    "length": 0, "mask": None, "maskType": None, "name": "", "nameField": False, "namePointing": False,
    "nillable": True, "permissionable": True, "picklistValues": [], "polymorphicForeignKey": False, "precision": 0,
    "queryByDistance": False, "referenceTargetField": None, "referenceTo": [], "relationshipName": None,
    "relationshipOrder": None, "restrictedDelete": False, "restrictedPicklist": False, "scale": 0,
    "searchPrefilterable": False, "soapType": "xsd:string", "sortable": True, "type": "string", "unique": False,
    "updateable": True, "writeRequiresMasterRead": False,
}  # fmt: skip
_BY_TYPE: dict[str, dict[str, Any]] = {
    "id": {"soapType": "tns:ID", "length": 18, "nillable": False, "createable": False, "updateable": False,
           "defaultedOnCreate": True, "idLookup": True, "permissionable": False},
    "reference": {"soapType": "tns:ID", "length": 18},
    "boolean": {"soapType": "xsd:boolean", "aggregatable": False, "nillable": False, "defaultedOnCreate": True},
    "int": {"soapType": "xsd:int", "digits": 8},
    "double": {"soapType": "xsd:double", "groupable": False, "precision": 18},
    "currency": {"soapType": "xsd:double", "groupable": False, "precision": 18, "scale": 2},
    "percent": {"soapType": "xsd:double", "groupable": False, "precision": 18},
    "date": {"soapType": "xsd:date"},
    "datetime": {"soapType": "xsd:dateTime", "groupable": False},
    "address": {"soapType": "urn:address", "aggregatable": False, "groupable": False, "sortable": False,
                "createable": False, "updateable": False, "queryByDistance": True},
    "textarea": {"extraTypeInfo": "plaintextarea"},
    "picklist": {"length": 255},
    "multipicklist": {"length": 4099, "groupable": False, "sortable": False},
    "phone": {"length": 40},
    "email": {"length": 80},
    "url": {"length": 255},
}  # fmt: skip


# What our specs say of a field beyond its describe.
_OURS = ("childRelationship", "childCascade", "metadata")


def expand(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The full describe of a field, 57 keys, from what differs from the defaults of its type."""
    full = {**_BASE, **_BY_TYPE.get(str(spec.get("type", "string")), {}), **spec}
    for own in _OURS:
        full.pop(own, None)
    if full["type"] == "textarea" and full["length"] > 255:
        full |= {key: spec.get(key, False) for key in ("filterable", "sortable", "groupable", "aggregatable")}
    full["byteLength"] = spec.get(
        "byteLength", full["length"] if full["type"] in ("id", "reference") else full["length"] * 3
    )
    full["picklistValues"] = [_option(value) for value in full["picklistValues"]]
    return dict(sorted(full.items()))


def _option(value: str | Mapping[str, Any]) -> dict[str, Any]:
    given = {"value": value} if isinstance(value, str) else dict(value)
    return {"active": True, "defaultValue": False, "label": given["value"], "validFor": None, **given}


@dataclass(slots=True)
class Field:
    """One field. ``describe`` is what the API says of it; the rest are the parts that code asks for often."""

    spec: dict[str, Any]
    describe: dict[str, Any] = field(init=False)
    name: str = field(init=False)
    type: str = field(init=False)
    label: str = field(init=False)
    custom: bool = field(init=False)
    reference_to: tuple[str, ...] = field(init=False)
    relationship: str | None = field(init=False)

    def __post_init__(self) -> None:
        full = self.describe = expand(self.spec)
        self.name, self.type, self.label, self.custom = full["name"], full["type"], full["label"], full["custom"]
        self.reference_to, self.relationship = tuple(full["referenceTo"]), full["relationshipName"]

    @property
    def child_relationship(self) -> str | None:
        """How the parent's describe and subqueries name the records that point to it by this field."""
        name = self.spec.get("childRelationship")
        return str(name) if name else None

    @property
    def cascades(self) -> bool:
        """Whether records that point here go with the one they point to."""
        return bool(self.spec.get("childCascade") or self.describe["cascadeDelete"])

    @property
    def is_required(self) -> bool:
        return not (self.describe["nillable"] or self.describe["defaultedOnCreate"]) and bool(
            self.describe["createable"]
        )

    @property
    def is_text(self) -> bool:
        return self.type in TEXT_TYPES

    @property
    def is_stored(self) -> bool:
        """Compound addresses are put together from their parts when they are read."""
        return self.type != "address"

    @property
    def sql_type(self) -> str:
        if self.type in ("boolean", "int"):
            return "INTEGER"
        if self.type in NUMBER_TYPES:
            return "REAL"
        if self.type in ("id", "reference", "date", "datetime") or self.describe["caseSensitive"]:
            return "TEXT"
        return "TEXT COLLATE NOCASE"

    @property
    def options(self) -> list[str]:
        return [option["value"] for option in self.describe["picklistValues"] if option["active"]]


@dataclass(slots=True)
class SObject:
    """One object with its fields in describe order; look-ups ignore case as the API does."""

    spec: dict[str, Any]
    fields: dict[str, Field] = field(default_factory=dict)
    by_relationship: dict[str, Field] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def key_prefix(self) -> str | None:
        return self.spec.get("keyPrefix")

    @property
    def custom(self) -> bool:
        return bool(self.spec.get("custom"))

    def allows(self, verb: str) -> bool:
        """``createable``, ``updateable``, ``deletable``, ``queryable``, ``mergeable``, ``replicateable``."""
        return bool(self.spec.get(verb, True))

    def add(self, new: Field) -> None:
        self.fields[new.name.lower()] = new
        if new.relationship:
            self.by_relationship[new.relationship.lower()] = new

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    def has(self, name: str) -> bool:
        return name.lower() in self.fields

    @property
    def name_field(self) -> Field | None:
        return next((item for item in self.fields.values() if item.describe["nameField"]), None)


class Schema:
    """All objects of the org. ``version`` moves with every change, so that a described schema can be kept."""

    def __init__(self) -> None:
        self._objects: dict[str, SObject] = {}
        self._prefixes: dict[str, SObject] = {}
        self.version = 0

    def add_object(self, sobject: SObject) -> None:
        self._objects[sobject.name.lower()] = sobject
        if sobject.key_prefix:
            self._prefixes.setdefault(sobject.key_prefix, sobject)
        self.version += 1

    def add_field(self, sobject: SObject, new: Field) -> None:
        sobject.add(new)
        self.version += 1

    def get(self, name: str) -> SObject | None:
        return self._objects.get(name.lower())

    def require(self, name: str) -> SObject:
        return self._objects[name.lower()]

    def of_id(self, record_id: str) -> SObject | None:
        """The object an id belongs to by its key prefix; the partner objects share one and answer as Partner."""
        return self._prefixes.get(record_id[:3])

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def children(self, parent: str) -> Iterator[tuple[SObject, Field]]:
        """Every reference field that can point to ``parent``."""
        for sobject in self._objects.values():
            for item in sobject.fields.values():
                if parent in item.reference_to:
                    yield sobject, item

    def child(self, parent: SObject, relationship: str) -> tuple[SObject, Field] | None:
        wanted = relationship.lower()
        for sobject, item in self.children(parent.name):
            if (item.child_relationship or "").lower() == wanted:
                return sobject, item
        return None


def build_object(spec: Mapping[str, Any], fields: Iterable[Mapping[str, Any]]) -> SObject:
    sobject = SObject(dict(spec))
    for item in fields:
        sobject.add(Field(dict(item)))
    return sobject
