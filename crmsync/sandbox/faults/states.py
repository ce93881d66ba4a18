"""Faults that change the CRM itself, each with the way back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from crmsync.sandbox.faults import in_hubspot, in_salesforce
from crmsync.sandbox.faults.fault import Fault
from crmsync.sandbox.hands import HandsError, check_act
from crmsync.sandbox.hands.in_hubspot import InHubSpot
from crmsync.sandbox.hands.in_salesforce import InSalesforce
from crmsync.sandbox.hands.words import value_of

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

Undo = Callable[[], None]
_LOG = logging.getLogger(__name__)


class States:
    """Begins and ends them, and lets people act."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def check(self, fault: Fault) -> None:
        """:raises ValueError: when the field, the value or the act makes no sense here."""
        if fault.kind == "person":
            given = dict(fault.act)
            check_act(str(given.pop("verb", "")), given)
        elif fault.kind in in_salesforce.SCHEMA:
            for system in fault.systems:
                self._schema(system, fault, do=False)

    def act(self, fault: Fault) -> None:
        """What cannot be done when the moment comes is left undone: the request goes its way."""
        given = dict(fault.act)
        try:
            self.box.hands.perform(str(given.pop("verb")), given)
        except HandsError as problem:
            _LOG.warning("the person of fault %s could not act: %s", fault.id, problem)

    def begin(self, fault: Fault, token: str = "") -> Undo:
        match fault.kind:
            case "clock_skew":
                return self._skew(fault.seconds)
            case "index_lag":
                return in_hubspot.lag(self.box.hubspot, fault.seconds)
            case "late_rows":
                return in_salesforce.delay(self.box.salesforce, fault.seconds)
            case "sign_out":
                return self._sign_out(token)
        return _all(self._schema(system, fault) for system in fault.systems)

    def _schema(self, system: str, fault: Fault, *, do: bool = True) -> Undo:
        """Find what is meant, then change it; whatever is not there is a ValueError before anything is done."""
        if system == "salesforce":
            org, at = self.box.salesforce, InSalesforce(self.box.salesforce)
            field = at.field(fault.object, fault.field)
            change = in_salesforce.SCHEMA[fault.kind](org, at.sobject(fault.object), field, _stored(system, fault))
        else:
            portal, there = self.box.hubspot, InHubSpot(self.box.hubspot)
            field = there.field(fault.object, fault.field)
            change = in_hubspot.SCHEMA[fault.kind](portal, there.type(fault.object).id, field, _stored(system, fault))
        return change() if do else _nothing

    def _skew(self, seconds: float) -> Undo:
        clock = self.box.clock
        clock.skew(seconds)
        return lambda: clock.skew(-seconds)

    def _sign_out(self, token: str) -> Undo:
        """A session is over for good; a revoked token of a private app works again once it is mended."""
        self.box.salesforce.sessions.end(token)
        return in_hubspot.revoke(self.box.hubspot, token)


def _stored(system: str, fault: Fault) -> str:
    return str(value_of(system, fault.object, fault.field, fault.value))


def _nothing() -> None:
    """There is no way back, as nothing was done."""


def _all(changes: Iterable[Undo]) -> Undo:
    undone = list(changes)

    def undo() -> None:
        for one in reversed(undone):
            one()

    return undo
