"""A parsed statement to SQL, and the plan by which rows become the vendor's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lark import Token

from crmsync.sandbox.salesforce.errors import no_relationship
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.soql.ast import ChildQuery, FieldRef, Function, Item, Operand, OrderItem, Query
from crmsync.sandbox.salesforce.soql.conditions import Conditions
from crmsync.sandbox.salesforce.soql.expressions import AGGREGATES, DATE_FUNCTIONS, Expression, compile_operand
from crmsync.sandbox.salesforce.soql.parser import operand_text
from crmsync.sandbox.salesforce.soql.rows import Children, Compound, Node, Value
from crmsync.sandbox.salesforce.soql.scope import Context, Scope
from crmsync.sandbox.salesforce.soql.semijoins import check_semi_joins
from crmsync.sandbox.salesforce.values import ADDRESS_PARTS

MAX_OFFSET = 2000
FIELDS_LIMIT = 200


@dataclass(slots=True)
class Statement:
    """Ready to run. ``kind``: rows, aggregate or count."""

    kind: str
    scope: Scope
    columns: list[str]
    where: str
    parameters: list[Any]
    order: str
    limit: int | None
    offset: int
    group: str = ""
    having: str = ""
    having_parameters: list[Any] = field(default_factory=list)
    node: Node | None = None
    names: list[tuple[str, Expression]] = field(default_factory=list)
    long_texts: int = 0
    children: list[Child] = field(default_factory=list)

    def record_columns(self, base: str) -> str:
        """Two columns: the record's id and its JSON, as bytes: nothing on the way to the client needs it as text."""
        if self.node is None:
            raise ValueError("only a query of rows has records")
        return f"{self.node.id_sql}, CAST({self.node.record_sql(f'{base}/sobjects/')} AS BLOB)"

    def select(self, chosen: str) -> str:
        return f"SELECT {chosen} FROM {self.scope.from_sql}{self.where}{self.group}{self.having}{self.order}"


@dataclass(slots=True)
class Child:
    """A parent-to-child subquery: its own statement, and the field that points to the parent."""

    key: str
    statement: Statement
    parent_field: Field


class Compiler:
    def __init__(self, context: Context, query: Query, sobject: SObject, prefix: str = "t") -> None:
        self.context, self.query = context, query
        self.scope = Scope(context, sobject, prefix, query.alias)
        self.statement = Statement("rows", self.scope, [], "", [], "", query.limit, query.offset)
        self._inner = 0
        self._selected: set[str] = set()

    def compile(self) -> Statement:
        """SQL and shape of a top-level query."""
        self._check_window()
        if self._is_count():
            self.statement.kind = "count"
        elif self.query.group or any(self._is_aggregate(item) for item in self.query.items):
            self.statement.kind = "aggregate"
            self._aggregate_columns()
        else:
            self._row_columns()
        self._where()
        if self.statement.kind != "count":
            self.statement.order = self._order()
        return self.statement

    # ---------------------------------------------------------------- what kind of query

    def _is_count(self) -> bool:
        first = self.query.items[0]
        only = len(self.query.items) == 1 and isinstance(first, Item) and isinstance(first.operand, Function)
        if not only or first.operand.name.upper() != "COUNT" or first.operand.args:  # type: ignore[union-attr]
            return False
        return not self.query.group

    @staticmethod
    def _is_aggregate(item: Item | ChildQuery) -> bool:
        """Aggregates, and date functions, which stand for groups only."""
        if not isinstance(item, Item) or not isinstance(item.operand, Function):
            return False
        return item.operand.name.upper() in AGGREGATES | DATE_FUNCTIONS

    def _check_window(self) -> None:
        if self.query.offset > MAX_OFFSET:
            raise self.context.problem("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}", 0)

    # ---------------------------------------------------------------- rows

    def _row_columns(self) -> None:
        root = self.statement.node = Node(self.scope.sobject, self.scope.prefix)
        for item in self.query.items:
            if isinstance(item, ChildQuery):
                self._child(root, item.query)
            elif isinstance(item.operand, Function) and item.operand.name.upper() == "FIELDS":
                self._fields(root, item.operand)
            else:
                self._plain(root, item)

    def _plain(self, root: Node, item: Item) -> None:
        if item.alias is not None and isinstance(item.operand, FieldRef):
            message = "only aggregate expressions use field aliasing"
            raise self.context.problem("MALFORMED_QUERY", message, item.alias)
        expression = compile_operand(self.scope, item.operand)
        if isinstance(item.operand, FieldRef):
            self._check_first(item.operand)
        path = _path_of(item.operand)
        node = self._node_for(root, path) if path is not None else root
        self._place(node, str(item.alias) if item.alias else expression.key, expression)

    def _check_first(self, operand: FieldRef) -> None:
        column = self.scope.column(operand.path)
        if column.sql in self._selected:
            message = f"duplicate field selected: {column.field.name}"
            raise self.context.problem("INVALID_FIELD", message, operand.path)
        self._selected.add(column.sql)

    def _place(self, node: Node, key: str, expression: Expression) -> None:
        item = expression.field
        if item is not None and item.type == "address" and expression.column is not None:
            prefix = key.removesuffix("Address")
            node.add(key, Compound({part: f'{expression.column.table}."{prefix}{part}"' for part in ADDRESS_PARTS}))
            return
        node.add(key, Value(expression.sql, expression.type, item))
        if item is not None and item.custom and item.type == "textarea" and item.describe["length"] > 255:
            self.statement.long_texts += 1

    def _node_for(self, root: Node, path: Token) -> Node:
        """The (nested) parent object that a dotted path writes into."""
        node, relations = root, self.scope.relations(path)
        for depth, relation in enumerate(relations, 1):
            table, sobject = self.scope.parent(path, relations[:depth])
            reference = node.sobject.by_relationship.get(relation.lower())
            key = str(reference.relationship) if reference is not None else relation
            parent = node.slots.get(key)
            if not isinstance(parent, Node):
                parent = node.slots[key] = Node(sobject, table)
            node = parent
        return node

    def _fields(self, root: Node, function: Function) -> None:
        which = operand_text(function.args[0]).upper() if function.args else ""
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise self.context.problem("MALFORMED_QUERY", f"unexpected token: '{which}'", function.name)
        if which != "STANDARD" and not (self.query.limit is not None and self.query.limit <= FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}"
            raise self.context.problem("MALFORMED_QUERY", message, function.name)
        for item in self.context.access.visible(self.scope.sobject):
            if which == "ALL" or item.custom == (which == "CUSTOM"):
                expression = compile_operand(
                    self.scope, FieldRef(Token("PATH", item.name, start_pos=function.name.start_pos))
                )
                self._place(root, item.name, expression)

    def _child(self, root: Node, query: Query) -> None:
        found = self.context.schema.child(self.scope.sobject, str(query.source))
        if found is None or not self.context.access.can(found[0], "read") or not self.context.access.sees(*found):
            raise self.context.problem(
                "INVALID_TYPE", no_relationship(str(query.source), "FROM part of query call"), query.source
            )
        sobject, parent_field = found
        self._inner += 1
        compiler = Compiler(self.context, query, sobject, f"{self.scope.prefix}c{self._inner}")
        key = str(parent_field.child_relationship)
        statement = compiler.compile()
        if statement.kind != "rows":
            raise self.context.problem(
                "MALFORMED_QUERY", "Only root queries support aggregate expressions", query.source
            )
        self.statement.children.append(Child(key, statement, parent_field))
        root.add(key, Children())

    # ---------------------------------------------------------------- aggregates

    def _aggregate_columns(self) -> None:
        grouped = {operand_text(operand).lower() for operand in self.query.group}
        unnamed = 0
        for item in self.query.items:
            if isinstance(item, ChildQuery):
                raise self.context.problem(
                    "MALFORMED_QUERY", "Subqueries are not allowed in aggregate queries", item.query.source
                )
            expression = compile_operand(self.scope, item.operand)
            if not expression.aggregate and operand_text(item.operand).lower() not in grouped:
                message = f"Field must be grouped or aggregated: {operand_text(item.operand)}"
                raise self.context.problem("MALFORMED_QUERY", message, item.operand.place)
            key = str(item.alias) if item.alias else expression.key
            if not key:
                key, unnamed = f"expr{unnamed}", unnamed + 1
            self.statement.columns.append(expression.sql)
            self.statement.names.append((key, expression))
        self._group()

    def _group(self) -> None:
        if self.query.group:
            self.statement.group = " GROUP BY " + ", ".join(self._groupable(operand) for operand in self.query.group)
        if self.query.having is not None:
            sql, values = replace(self._conditions(), aggregates=True).compile(self.query.having)
            self.statement.having, self.statement.having_parameters = f" HAVING {sql}", values

    def _groupable(self, operand: Operand) -> str:
        expression = compile_operand(self.scope, operand)
        if expression.aggregate:
            raise self.context.problem("MALFORMED_QUERY", "Aggregates cannot be grouped by", operand.place)
        if expression.field is not None and not expression.field.describe["groupable"]:
            message = f"field '{expression.field.name}' can not be grouped in a query call"
            raise self.context.problem("MALFORMED_QUERY", message, operand.place)
        return expression.sql

    # ---------------------------------------------------------------- filters and order

    def _conditions(self) -> Conditions:
        return Conditions(self.scope, lambda operand: compile_operand(self.scope, operand), self._semi_join)

    def _where(self) -> None:
        filters, parameters = [], []
        deleted = self.scope.sobject.field("IsDeleted")
        if deleted is not None and not (self.context.include_deleted or self.query.all_rows):
            filters.append(f'{self.scope.prefix}."IsDeleted" = 0')
        if self.query.extra.get("scope", "").lower() == "mine" and self.scope.sobject.has("OwnerId"):
            filters.append(f'{self.scope.prefix}."OwnerId" = ?')
            parameters.append(self.context.access.user_id)
        if self.query.where is not None:
            check_semi_joins(self.context, self.query.where)
            sql, values = self._conditions().compile(self.query.where)
            filters.append(sql)
            parameters += values
        self.statement.where = " WHERE " + " AND ".join(filters) if filters else ""
        self.statement.parameters = parameters

    def _semi_join(self, query: Query) -> tuple[str, list[Any]]:
        if len(query.items) != 1 or not isinstance(query.items[0], Item):
            raise self.context.problem("MALFORMED_QUERY", "The inner select must select one field", query.source)
        self._inner += 1
        prefix = f"{self.scope.prefix}s{self._inner}"
        compiler = Compiler(self.context, query, self.context.object(query.source), prefix)
        expression = compile_operand(compiler.scope, query.items[0].operand)
        if expression.type not in ("id", "reference"):
            message = f"The inner select field '{expression.key}' must be an id or reference field"
            raise self.context.problem("MALFORMED_QUERY", message, query.items[0].operand.place)
        compiler._where()
        where = compiler.statement.where
        solid = f"{where} AND" if where else " WHERE"
        sql = f"SELECT {expression.sql} FROM {compiler.scope.from_sql}{solid} {expression.sql} IS NOT NULL"
        return sql, compiler.statement.parameters

    def _order(self) -> str:
        parts = list(self._order_parts(self.query.order))
        return " ORDER BY " + ", ".join(parts) if parts else ""

    def _order_parts(self, items: tuple[OrderItem, ...]) -> Iterator[str]:
        for item in items:
            expression = compile_operand(self.scope, item.operand)
            if expression.aggregate and self.statement.kind == "rows":
                message = f"Ordered field must be grouped or aggregated: {operand_text(item.operand)}"
                raise self.context.problem("MALFORMED_QUERY", message, item.operand.place)
            target = expression.field
            if target is not None and not target.describe["sortable"]:
                message = f"field '{target.name}' can not be sorted in a query call"
                raise self.context.problem("MALFORMED_QUERY", message, item.operand.place)
            nullable = (
                expression.column is None or expression.column.joined or expression.column.field.describe["nillable"]
            )
            nulls = (" NULLS LAST" if item.nulls_last else " NULLS FIRST") if nullable else ""
            yield f"{expression.sql}{' DESC' if item.descending else ''}{nulls}"


def _path_of(operand: Operand) -> Token | None:
    while isinstance(operand, Function):
        if not operand.args:
            return None
        operand = operand.args[0]
    return operand.path
