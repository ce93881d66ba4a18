"""Names in a statement: which column of which joined table a field path means, as this user may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lark import Token

from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.errors import (
    SalesforceError,
    no_column_on_entity,
    no_relationship,
    type_not_supported,
)
from crmsync.sandbox.salesforce.schema import Field, Schema, SObject
from crmsync.sandbox.salesforce.soql.problems import query_error
from crmsync.sandbox.salesforce.store import quote

MAX_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Context:
    """What a whole statement, with its inner queries, is compiled against."""

    text: str
    schema: Schema
    access: Access
    now: datetime
    include_deleted: bool
    source: Callable[[SObject], str]

    def problem(self, code: str, message: str, place: Token | int) -> SalesforceError:
        return query_error(self.text, code, message, place)

    def object(self, name: Token) -> SObject:
        sobject = self.schema.get(str(name))
        if sobject is None or not sobject.allows("queryable") or not self.access.can(sobject, "read"):
            raise self.problem("INVALID_TYPE", type_not_supported(str(name)), name)
        return sobject


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved field: SQL to read it, and whether it is reached through a parent that may be missing."""

    field: Field
    sobject: SObject
    table: str
    joined: bool

    @property
    def sql(self) -> str:
        return f"{self.table}.{quote(self.field.name)}"


@dataclass(slots=True)
class Scope:
    """The FROM of one query: its own table and the parents joined so far, by relationship path."""

    context: Context
    sobject: SObject
    prefix: str
    alias: str = ""
    joins: dict[str, tuple[str, SObject]] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)
    source: str = field(init=False)

    def __post_init__(self) -> None:
        self.source = self.context.source(self.sobject)

    @property
    def from_sql(self) -> str:
        return " ".join([f"{self.source} {self.prefix}", *self.join_sql])

    def column(self, path: Token) -> Column:
        *relations, name = self._parts(path)
        table, sobject = self.parent(path, relations)
        found = self.context.access.field(sobject, name)
        if found is None:
            message = no_column_on_entity(name, sobject.name)
            raise self.context.problem("INVALID_FIELD", message, path)
        return Column(found, sobject, table, bool(relations))

    def relations(self, path: Token) -> list[str]:
        return self._parts(path)[:-1]

    def _parts(self, path: Token) -> list[str]:
        parts = str(path).split(".")
        own = (self.alias.lower(), self.sobject.name.lower())
        if len(parts) > 1 and parts[0].lower() in own and parts[0].lower() not in self.sobject.by_relationship:
            del parts[0]
        return parts

    def parent(self, path: Token, relations: list[str]) -> tuple[str, SObject]:
        table, sobject, walked = self.prefix, self.sobject, ""
        if len(relations) > MAX_LEVELS:
            raise self.context.problem("MALFORMED_QUERY", f"Relationship path is deeper than {MAX_LEVELS} levels", path)
        for relation in relations:
            walked += "." + relation.lower()
            if walked not in self.joins:
                self.joins[walked] = self._join(path, table, sobject, relation)
            table, sobject = self.joins[walked]
        return table, sobject

    def _join(self, path: Token, table: str, sobject: SObject, relation: str) -> tuple[str, SObject]:
        reference = sobject.by_relationship.get(relation.lower())
        target = self._target(reference) if reference is not None else None
        if reference is None or target is None or not self.context.access.sees(sobject, reference):
            raise self.context.problem("INVALID_FIELD", no_relationship(relation), path)
        alias = f"{self.prefix}_{len(self.joins) + 1}"
        self.join_sql.append(
            f'LEFT JOIN {self.context.source(target)} {alias} ON {alias}."Id" = {table}.{quote(reference.name)}'
        )
        return alias, target

    def _target(self, reference: Field) -> SObject | None:
        """A field that may point to several objects reaches what they share: the pseudo-object Name."""
        if len(reference.reference_to) > 1:
            return self.context.schema.get("Name")
        return self.context.schema.get(reference.reference_to[0]) if reference.reference_to else None
