"""The org and the sender of the Salesforce tests."""

from __future__ import annotations

from tests.sandbox.salesforce.conftest import box, org, send

__all__ = ["box", "org", "send"]
