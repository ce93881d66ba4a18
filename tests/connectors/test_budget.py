"""The day's calls: where crmsync stops, and when it goes on."""

import pytest

from crmsync.connectors.budget import Budget
from crmsync.connectors.dialect import Dialect
from crmsync.connectors.hubspot.api import DIALECT as HUBSPOT
from crmsync.connectors.salesforce.dialect import SALESFORCE
from crmsync.errors import QuotaExhausted


@pytest.mark.parametrize(("dialect", "when"), [(HUBSPOT, "at midnight in the"), (SALESFORCE, "24 hours after")])
def test_a_share_that_is_used_up_says_when_calls_come_back(dialect: Dialect, when: str) -> None:
    budget = Budget(dialect.system, 0.5, dialect.calls_return)
    budget.note(100, 51)
    budget.guard()
    budget.count()
    with pytest.raises(QuotaExhausted, match=f"{dialect.system} has used 50 of 100 API calls") as raised:
        budget.guard()
    assert when in (raised.value.hint or "")
    assert "what was done is kept" in (raised.value.hint or "")
