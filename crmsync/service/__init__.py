"""The long-running side: syncs on a schedule."""

from crmsync.service.runs import SyncOutcome, run_sync
from crmsync.service.scheduler import SyncScheduler
from crmsync.service.triggers import NextRun, build_trigger

__all__ = ["NextRun", "SyncOutcome", "SyncScheduler", "build_trigger", "run_sync"]
