"""Faults on demand, for both CRMs alike: an outage, a spent quota, a lost answer, a slow day, a meddling person.

A fault is armed with ``POST /_sandbox/faults``, :meth:`Faults.add` or ``crmsync sandbox break``; :mod:`catalogue` says
which there are.
"""

from __future__ import annotations

from crmsync.sandbox.faults.armed import Faults
from crmsync.sandbox.faults.catalogue import CATALOGUE, KINDS, Kind
from crmsync.sandbox.faults.fault import SYSTEMS, Fault
from crmsync.sandbox.faults.middleware import TRANSPORT, FaultMiddleware, system_of

__all__ = ["CATALOGUE", "KINDS", "SYSTEMS", "TRANSPORT", "Fault", "FaultMiddleware", "Faults", "Kind", "system_of"]
