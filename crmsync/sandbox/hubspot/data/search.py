"""The search endpoint as SQL: filters match what the index knows, which may lag; the values returned are current."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType, ObjectTypes
from crmsync.sandbox.hubspot.definitions.properties import Definition, is_multiple
from crmsync.sandbox.hubspot.problems import invalid
from crmsync.sandbox.hubspot.stamps import parse_ms
from crmsync.sandbox.hubspot.wholes import is_whole

MAX_PAGE, MAX_HITS = 200, 10_000
MAX_GROUPS, MAX_FILTERS, MAX_ALL_FILTERS, MAX_QUERY = 5, 6, 18, 3_000
_COMPARISONS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_VALUED = {"EQ", "NEQ", "BETWEEN", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", *_COMPARISONS}
_LISTED = {"IN", "NOT_IN"}
_BARE = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}


@dataclass(slots=True)
class Clause:
    """A piece of SQL and what is bound in it."""

    sql: str
    bound: list[Any] = field(default_factory=list)


def _joined(parts: list[Clause], word: str) -> Clause:
    return Clause(
        f" {word} ".join(f"({part.sql})" for part in parts), [value for part in parts for value in part.bound]
    )


class SearchCompiler:
    """One request over one object type."""

    def __init__(
        self, kind: ObjectType, definitions: Mapping[str, Definition], types: ObjectTypes, now_ms: int
    ) -> None:
        self._kind = kind
        self._definitions = definitions
        self._types = types
        self._now_ms = now_ms

    def where(self, body: Mapping[str, Any]) -> Clause:
        """Groups are alternatives, the filters of a group must all hold."""
        groups = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
        _check_size(groups)
        alternatives = [self._group(group.get("filters") or []) for group in groups]
        parts = [_joined(alternatives, "OR")] if alternatives else []
        if query := str(body.get("query") or "").strip():
            parts.append(self._query(query))
        return _joined(parts, "AND") if parts else Clause("1")

    def order(self, sorts: list[Any]) -> Clause:
        """One rule, as an object or as a bare property name; ties and the default go by id, which is creation order."""
        if len(sorts) > 1:
            raise invalid("Only one sort rule is supported per search")
        if not sorts:
            return Clause("id")
        rule = sorts[0] if isinstance(sorts[0], Mapping) else _bare_sort(str(sorts[0]))
        name = rule.get("propertyName", "")
        way = "DESC" if str(rule.get("direction", "ASCENDING")).upper().startswith("DESC") else "ASC"
        value = self._value(self._definition(name))
        return Clause(f"{value.sql} {way}, id", value.bound)

    def _group(self, filters: list[Mapping[str, Any]]) -> Clause:
        return _joined([self._filter(one) for one in filters], "AND") if filters else Clause("1")

    def _filter(self, given: Mapping[str, Any]) -> Clause:
        name, operator = str(given.get("propertyName", "")), str(given.get("operator", ""))
        if operator not in _VALUED | _LISTED | _BARE:
            raise invalid(f"Invalid input JSON: operator '{operator}' is not one of the allowed operators")
        if name.startswith("associations."):
            return self._associated(name.removeprefix("associations."), operator, given)
        definition = self._definition(name)
        value = self._value(definition)
        if operator in _BARE:
            return Clause(f"{value.sql} IS {'NOT ' if operator == 'HAS_PROPERTY' else ''}NULL", value.bound)
        if operator in _LISTED:
            return self._in(definition, value, operator, given)
        if given.get("value") is None:
            raise invalid(f"Invalid input JSON: the filter on '{name}' with {operator} needs a value")
        return self._compare(definition, value, operator, given)

    def _compare(self, definition: Definition, value: Clause, operator: str, given: Mapping[str, Any]) -> Clause:
        if operator.endswith("CONTAINS_TOKEN"):
            return _token(value, str(given["value"]), negative=operator.startswith("NOT"))
        wanted = self._operand(definition, given["value"])
        if operator == "BETWEEN":
            high = self._operand(definition, given.get("highValue"))
            return Clause(f"{value.sql} BETWEEN ? AND ?", [*value.bound, wanted, high])
        if operator in _COMPARISONS:
            return Clause(f"{value.sql} {_COMPARISONS[operator]} ?", [*value.bound, wanted])
        equal = self._equal(definition, value, wanted)
        return equal if operator == "EQ" else _negated(equal)

    def _in(self, definition: Definition, value: Clause, operator: str, given: Mapping[str, Any]) -> Clause:
        values = given.get("values")
        if not isinstance(values, list) or not values:
            raise invalid(f"Invalid input JSON: the filter on '{definition['name']}' with {operator} needs values")
        wanted = [self._operand(definition, one) for one in values]
        if is_multiple(definition):
            found = _joined([self._equal(definition, value, one) for one in wanted], "OR")
        else:
            found = Clause(f"{value.sql} IN ({','.join('?' * len(wanted))})", [*value.bound, *wanted])
        return found if operator == "IN" else _negated(found)

    def _equal(self, definition: Definition, value: Clause, wanted: Any) -> Clause:
        if is_multiple(definition):  # any of the chosen ones, or the whole list as text
            sql = f"(instr(';' || {value.sql} || ';', ';' || ? || ';') > 0)"
            return Clause(sql, [*value.bound, wanted])
        return Clause(f"{value.sql} = ?", [*value.bound, wanted])

    def _value(self, definition: Definition) -> Clause:
        """The property as it compares: numbers as numbers, instants as text without their Z, text in lower case."""
        name, kind = definition["name"], definition["type"]
        if name == "hs_object_id":
            return Clause("id")
        if name in {"hs_createdate", self._kind.created_property}:
            return Clause("created_ms")
        if name in {"hs_lastmodifieddate", self._kind.modified_property}:
            return Clause("modified_ms")
        raw = Clause("nullif(json_extract(properties, ?), '')", [f'$."{name}"'])
        if kind == "number":
            return Clause(f"CAST({raw.sql} AS REAL)", raw.bound)
        if kind in {"datetime", "date"}:
            return Clause(f"instant_ms({raw.sql})", raw.bound)
        return raw if kind in {"enumeration", "bool"} else Clause(f"lower_text({raw.sql})", raw.bound)

    def _operand(self, definition: Definition, given: Any) -> Any:
        text = str(given).lower() if isinstance(given, bool) else str(given)
        name, kind = definition["name"], definition["type"]
        try:
            if name == "hs_object_id":
                return _whole(text)
            if kind in {"datetime", "date"}:
                return parse_ms(text)
            if kind == "number":
                return float(text)
        except (ValueError, OverflowError):
            raise invalid(f"Invalid value '{text}' for the property '{name}' of type {kind}") from None
        return text if kind in {"enumeration", "bool"} else text.lower()

    def _definition(self, name: str) -> Definition:
        found = self._definitions.get(name)
        if found is None:
            raise invalid(f"There was a problem with the request: property '{name}' does not exist")
        return found

    def _associated(self, target: str, operator: str, given: Mapping[str, Any]) -> Clause:
        """Pseudo-property ``associations.{type}``; custom objects do not have it."""
        other = self._types.get(target)
        if other.is_custom:
            raise invalid(f"Searching by associations with custom objects is not supported: {target}")
        chosen = (given.get("values") if operator in _LISTED else [given.get("value")]) or []
        exists = """SELECT 1 FROM associations a WHERE a.from_type = ? AND a.from_id = seen.id AND a.to_type = ?"""
        bound: list[Any] = [self._kind.id, other.id]
        if operator not in _BARE:
            ids = [int(str(one)) for one in chosen if is_whole(str(one))]
            exists += f" AND a.to_id IN ({','.join('?' * len(ids))})"
            bound += ids
        found = Clause(f"EXISTS ({exists})", bound)
        return _negated(found) if operator.startswith("N") else found

    def _query(self, query: str) -> Clause:
        """Every word must occur in one of the properties that are searched by default."""
        searched = [d for d in self._definitions.values() if d["type"] == "string" and not d["hidden"]]
        columns = [self._value(d) for d in searched]
        words = query.lower().split()
        return _joined([_joined([_instr(column, word) for column in columns], "OR") for word in words], "AND")


def _instr(column: Clause, word: str) -> Clause:
    return Clause(f"instr({column.sql}, ?) > 0", [*column.bound, word])


def _negated(clause: Clause) -> Clause:
    """Records without a value match a negation."""
    return Clause(f"NOT coalesce({clause.sql}, 0)", clause.bound)


def _token(value: Clause, wanted: str, *, negative: bool) -> Clause:
    found = Clause(f"has_token({value.sql}, ?)", [*value.bound, wanted.lower()])
    return _negated(found) if negative else found


def _bare_sort(text: str) -> dict[str, str]:
    descending = text.startswith("-")
    return {"propertyName": text.lstrip("-"), "direction": "DESCENDING" if descending else "ASCENDING"}


def _check_size(groups: list[Mapping[str, Any]]) -> None:
    sizes = [len(group.get("filters") or []) for group in groups]
    if len(groups) > MAX_GROUPS:
        raise invalid(f"Too many filter groups: {len(groups)}, at most {MAX_GROUPS} are allowed")
    if any(size > MAX_FILTERS for size in sizes):
        raise invalid(f"Too many filters in a group: {max(sizes)}, at most {MAX_FILTERS} are allowed")
    if sum(sizes) > MAX_ALL_FILTERS:
        raise invalid(f"Too many filters: {sum(sizes)}, at most {MAX_ALL_FILTERS} are allowed")


_LIVE = """SELECT id, properties, created_ms,
    CASE WHEN settled_ms <= ? THEN settled_ms ELSE updated_ms END AS modified_ms
    FROM records WHERE type = ? AND archived_ms IS NULL"""
_LAGGING = """SELECT id, properties, created_ms, modified_ms FROM unindexed u WHERE type = ? AND until_ms > ?
    AND until_ms = (SELECT min(until_ms) FROM unindexed v WHERE v.type = u.type AND v.id = u.id AND v.until_ms > ?)
    AND properties IS NOT NULL"""
_NOT_LAGGING = "id NOT IN (SELECT id FROM unindexed WHERE type = ? AND until_ms > ?)"


class SearchIndex:
    """What is found: the records as they are, except those whose last writes the index has not seen yet."""

    def __init__(self, database: Database) -> None:
        self._execute = database.connection.execute
        database.connection.create_function("instant_ms", 1, _instant_ms, deterministic=True)
        database.connection.create_function("has_token", 2, _has_token, deterministic=True)
        database.connection.create_function("lower_text", 1, _lower, deterministic=True)

    def find(
        self, type_id: str, where: Clause, order: Clause, offset: int, limit: int, now_ms: int
    ) -> tuple[int, list[int]]:
        """The true number of matches, and the ids of one page."""
        seen = self._seen(type_id, now_ms)
        start = f"WITH seen AS ({seen.sql}) SELECT"
        count = self._execute(f"{start} count(*) FROM seen WHERE {where.sql}", [*seen.bound, *where.bound])
        total = int(count.fetchone()[0])
        page = self._execute(
            f"{start} id FROM seen WHERE {where.sql} ORDER BY {order.sql} LIMIT ? OFFSET ?",
            [*seen.bound, *where.bound, *order.bound, limit, offset],
        )
        return total, [row[0] for row in page]

    def _seen(self, type_id: str, now_ms: int) -> Clause:
        lagging = "SELECT 1 FROM unindexed WHERE type = ? AND until_ms > ? LIMIT 1"
        live = Clause(_LIVE, [now_ms, type_id])
        if self._execute(lagging, (type_id, now_ms)).fetchone() is None:
            return live
        bound = [*live.bound, type_id, now_ms, type_id, now_ms, now_ms]
        return Clause(f"{_LIVE} AND {_NOT_LAGGING} UNION ALL {_LAGGING}", bound)


def _whole(text: str) -> int:
    if not is_whole(text.removeprefix("-")):
        raise ValueError(text)
    return int(text)


def _instant_ms(text: str | None) -> int | None:
    return parse_ms(text) if text else None


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None


def _has_token(text: str | None, wanted: str) -> bool:
    """Words, with ``*`` as a wildcard at either end (developers.hubspot.com: Search the CRM, CONTAINS_TOKEN)."""
    if not text:
        return False
    lowered = text.lower()
    words = [lowered, *re.split(r"[^\w@.\-]+", lowered), *re.split(r"\W+", lowered)]
    return any(fnmatchcase(word, wanted) for word in words if word)
