"""Which kinds of association exist between two object types, in both directions.

HubSpot's own ids are those of its associations guide (developers.hubspot.com: CRM API | Associations v4, "Association
type id values"); labels follow the recorded answers ("Primary", company to contact "Primary Company").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database

DEFINED, CUSTOM = "HUBSPOT_DEFINED", "USER_DEFINED"
FIRST_CUSTOM_ID = 1001
MAX_LABELS = 10


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One direction. ``inverse`` is the id of the other direction (in the same category)."""

    from_type: str
    to_type: str
    id: int
    inverse: int
    category: str = DEFINED
    label: str | None = None
    name: str = ""
    is_primary: bool = False

    def wire(self) -> dict[str, Any]:
        return {"category": self.category, "typeId": self.id, "label": self.label}


# from, to, plain ids (there, back), primary ids (there, back)
_PAIRS = """
0-1 0-2 279 280 1 2
0-3 0-2 341 342 5 6
0-5 0-2 339 340 26 25
0-3 0-1 3 4
0-5 0-1 16 15
0-3 0-5 27 28
0-3 0-8 19 20
0-1 0-1 449 449
0-2 0-2 450 450
0-3 0-3 451 451
0-5 0-5 452 452
0-46 0-1 202 201
0-46 0-2 190 189
0-46 0-3 214 213
0-46 0-5 228 227
0-27 0-1 204 203
0-27 0-2 192 191
0-27 0-3 216 215
0-27 0-5 230 229
0-48 0-1 194 193
0-48 0-2 182 181
0-48 0-3 206 205
0-48 0-5 220 219
0-47 0-1 200 199
0-47 0-2 188 187
0-47 0-3 212 211
0-47 0-5 226 225
0-49 0-1 198 197
0-49 0-2 186 185
0-49 0-3 210 209
0-49 0-5 224 223
"""

PARENT_TO_CHILD, CHILD_TO_PARENT = 13, 14


def _defaults() -> list[AssociationType]:
    types: list[AssociationType] = []
    for line in _PAIRS.split("\n"):
        if line:
            a, b, *ids = line.split()
            there, back, *primary = map(int, ids)
            types += _both(a, b, there, back)
            if primary:
                types.append(AssociationType(a, b, primary[0], primary[1], label="Primary", is_primary=True))
                label = "Primary Company" if a == "0-1" else "Primary"
                types.append(AssociationType(b, a, primary[1], primary[0], label=label, is_primary=True))
    types.append(AssociationType("0-2", "0-2", PARENT_TO_CHILD, CHILD_TO_PARENT, label="Child Company"))
    types.append(AssociationType("0-2", "0-2", CHILD_TO_PARENT, PARENT_TO_CHILD, label="Parent Company"))
    return types


def _both(a: str, b: str, there: int, back: int, category: str = DEFINED) -> list[AssociationType]:
    forward = AssociationType(a, b, there, back, category)
    return [forward] if (a, there) == (b, back) else [forward, AssociationType(b, a, back, there, category)]


class AssociationTypes:
    """Found by (from, to); within a pair of types by (category, id), by label, or as the plain one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_pair: dict[tuple[str, str], dict[tuple[str, int], AssociationType]] = {}
        for kind in _defaults():
            self._add(kind)
        for _, _, body in database.documents("association"):
            self._add(AssociationType(**body))

    def _add(self, kind: AssociationType) -> None:
        self._by_pair.setdefault((kind.from_type, kind.to_type), {})[kind.category, kind.id] = kind

    def _keep(self, kind: AssociationType) -> None:
        self._add(kind)
        body = {name: getattr(kind, name) for name in AssociationType.__slots__}
        self._database.save_document(
            "association", f"{kind.from_type}>{kind.to_type}", f"{kind.category}:{kind.id}", body
        )

    def between(self, from_type: str, to_type: str) -> list[AssociationType]:
        return list(self._by_pair.get((from_type, to_type), {}).values())

    def find(self, from_type: str, to_type: str, category: str, type_id: int) -> AssociationType | None:
        return self._by_pair.get((from_type, to_type), {}).get((category, type_id))

    def leaving(self, from_type: str, category: str, type_id: int) -> AssociationType | None:
        """By id alone: where a create body gives only the type, it says what kind of record ``to`` is."""
        for (start, _), kinds in self._by_pair.items():
            if start == from_type and (category, type_id) in kinds:
                return kinds[category, type_id]
        return None

    def any_category(self, from_type: str, to_type: str, type_id: int) -> AssociationType | None:
        return next((kind for kind in self.between(from_type, to_type) if kind.id == type_id), None)

    def plain(self, from_type: str, to_type: str) -> AssociationType | None:
        return next((kind for kind in self.between(from_type, to_type) if kind.label is None), None)

    def by_label(self, from_type: str, to_type: str, label: str) -> AssociationType | None:
        wanted = label.lower()
        for kind in self.between(from_type, to_type):
            if (kind.label or "").lower() == wanted or (wanted == "primary" and kind.is_primary):
                return kind
        return None

    def create_plain(self, a: str, b: str) -> AssociationType:
        """The unlabelled type of a custom object; it exists once the schema says the two may be associated."""
        existing = self.plain(a, b)
        if existing:
            return existing
        there = self._database.take("association_type", FIRST_CUSTOM_ID, 2)
        for kind in _both(a, b, there, there if a == b else there + 1, CUSTOM):
            self._keep(kind)
        return self._by_pair[a, b][CUSTOM, there]

    def create_label(self, a: str, b: str, label: str, name: str, inverse_label: str | None) -> list[AssociationType]:
        self.create_plain(a, b)
        there = self._database.take("association_type", FIRST_CUSTOM_ID, 2)
        back_label = inverse_label or label
        back = there if a == b and not inverse_label else there + 1
        made = [AssociationType(a, b, there, back, CUSTOM, label, name)]
        if back != there:
            made.append(AssociationType(b, a, back, there, CUSTOM, back_label, name))
        for kind in made:
            self._keep(kind)
        return made

    def rename(self, kind: AssociationType, label: str) -> None:
        values = {name: getattr(kind, name) for name in AssociationType.__slots__}
        self._keep(AssociationType(**{**values, "label": label}))

    def remove(self, kind: AssociationType) -> None:
        for one in (kind, self.inverse(kind)):
            self._by_pair[one.from_type, one.to_type].pop((one.category, one.id), None)
            self._database.delete_document("association", f"{one.from_type}>{one.to_type}", f"{one.category}:{one.id}")

    def inverse(self, kind: AssociationType) -> AssociationType:
        return self._by_pair[kind.to_type, kind.from_type][kind.category, kind.inverse]

    def remove_object_type(self, type_id: str) -> None:
        for pair in [pair for pair in self._by_pair if type_id in pair]:
            for kind in list(self._by_pair.get(pair, {}).values()):
                self.remove(kind)
            self._by_pair.pop(pair, None)
