"""Where a semi-join may stand: at the top level of WHERE, joined by AND, at most twice, never inside another."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.soql.ast import AllOf, AnyOf, Condition, InQuery, Not
from crmsync.sandbox.salesforce.soql.scope import Context

MAX_SEMI_JOINS = 2


def check_semi_joins(context: Context, where: Condition) -> None:
    """The four refusals of the platform, in its words."""
    top = where.parts if isinstance(where, AllOf) else (where,)
    direct = [part for part in top if isinstance(part, InQuery)]
    hidden = next(_inside(part for part in top if not isinstance(part, InQuery)), None)
    if hidden is not None:
        message = (
            "Semi join sub-selects are not allowed with the 'OR' operator"
            if isinstance(where, AnyOf)
            else "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE "
            "expressions"
        )
        raise _refused(context, hidden, message)
    if len(direct) > MAX_SEMI_JOINS:
        raise _refused(context, direct[-1], f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed")
    for part in direct:
        if part.query.where is not None and next(_inside([part.query.where]), None) is not None:
            raise _refused(context, part, "Nesting of semi join sub-selects is not supported")


def _inside(conditions: Iterator[Condition] | list[Condition]) -> Iterator[InQuery]:
    waiting = list(conditions)
    while waiting:
        condition = waiting.pop()
        if isinstance(condition, InQuery):
            yield condition
        elif isinstance(condition, (AllOf, AnyOf)):
            waiting += condition.parts
        elif isinstance(condition, Not):
            waiting.append(condition.part)


def _refused(context: Context, place: InQuery, message: str) -> SalesforceError:
    return context.problem("MALFORMED_QUERY", message, place.query.source)
