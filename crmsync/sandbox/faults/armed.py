"""The armed faults, and what each request makes of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from crmsync.sandbox.faults.fault import Fault

_LOG = logging.getLogger(__name__)


class Stage(Protocol):
    """Where faults change more than one answer: the CRMs' state, and people."""

    def begin(self, fault: Fault, token: str = "") -> Callable[[], None]:
        """Change the CRM; what is returned changes it back."""
        ...

    def act(self, fault: Fault) -> None: ...

    def check(self, fault: Fault) -> None:
        """:raises ValueError: when it could not begin."""
        ...


class Faults:
    """Oldest first. Of the faults that spoil an answer the first that is due does; the others wait their turn.

    People act, and the CRM's state changes, whatever else happens to the request.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._armed: list[Fault] = []
        self._undo: dict[int, Callable[[], None]] = {}
        self._lock = threading.RLock()

    def add(self, **given: Any) -> Fault:
        """Arm a fault; see :class:`Fault` for what can be said of it.

        :raises ValueError: when it makes no sense. ``TypeError``: an unknown option.
        """
        fault = Fault(**given)
        with self._lock:
            self._stage.check(fault)
            if fault.about.lasts and fault.at == 1 and fault.chance >= 1 and not _waits(fault):
                self._undo[fault.id] = self._stage.begin(fault)
            self._armed.append(fault)
        return fault

    def remove(self, fault: Fault | int | str) -> list[Fault]:
        """Mend one, by itself or its id, or all of a kind; those that were armed still."""
        with self._lock:
            gone = [one for one in self._armed if fault in (one, one.id, one.kind)]
            for one in reversed(gone):
                self._drop(one)
        return gone

    def clear(self) -> None:
        """Mend everything, the latest first."""
        with self._lock:
            for fault in reversed(list(self._armed)):
                self._drop(fault)

    def armed(self) -> list[Fault]:
        with self._lock:
            return list(self._armed)

    def is_active(self, fault: Fault) -> bool:
        """Whether the CRM's state is changed by it now."""
        return fault.id in self._undo

    def meet(self, system: str, method: str, target: str, token: str = "") -> Fault | None:
        """A request arrives: state changes and people act, and the fault that spoils the answer is returned."""
        if not self._armed:
            return None
        spoiling = None
        with self._lock:
            for fault in list(self._armed):
                if not fault.hits(system, method, target) or not fault.is_due():
                    continue
                if fault.about.lasts:
                    self._enter(fault, token)
                elif fault.kind == "person":
                    self._spend(fault)
                    self._stage.act(fault)
                elif spoiling is None:
                    spoiling = fault
                    self._spend(fault)
        return spoiling

    def passed(self) -> None:
        """A request is answered: what was to last for so many requests ends."""
        if self._undo:
            with self._lock:
                for fault in [one for one in self._armed if one.about.lasts and one.times == 0]:
                    self._drop(fault)

    def _enter(self, fault: Fault, token: str) -> None:
        """What was possible when it was armed may be so no more: then the request goes its way."""
        if fault.id not in self._undo:
            try:
                self._undo[fault.id] = self._stage.begin(fault, token)
            except ValueError as problem:
                _LOG.warning("fault %s (%s) could not begin: %s", fault.id, fault.kind, problem)
                self._armed.remove(fault)
                return
        if fault.times:
            fault.times -= 1

    def _spend(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._drop(fault)

    def _drop(self, fault: Fault) -> None:
        self._armed.remove(fault)
        undo = self._undo.pop(fault.id, None)
        if undo is not None:
            undo()


def _waits(fault: Fault) -> bool:
    """It needs a request to begin with: whose token is it?"""
    return fault.kind == "sign_out"
