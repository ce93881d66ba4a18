"""Where the sandbox's Salesforce answers otherwise than the recordings on purpose. The docs print this table."""

from __future__ import annotations

from tests.sandbox.conformance.framework import NOTHING, Delta, Difference, Exchange


def _estimated(exchange: Exchange, delta: Delta) -> bool:
    return "limits/recordCount" in exchange.path and delta.path.startswith("body.sObjects")


def _another_org(exchange: Exchange, delta: Delta) -> bool:
    return (
        "/sobjects/Organization/" in exchange.path
        and delta.path.startswith("body.")
        and (delta.ours != NOTHING or delta.theirs is None)
    )


def _etag(_exchange: Exchange, delta: Delta) -> bool:
    return delta.path.endswith(".ETag") and delta.ours != NOTHING


def _other_users(exchange: Exchange, delta: Delta) -> bool:
    return "FROM+User+LIMIT+1" in exchange.path and delta.path.startswith("body.records.0.")


def _fewer_resources(exchange: Exchange, delta: Delta) -> bool:
    return exchange.path.rstrip("/").count("/") == 3 and delta.path.startswith("body.")


def _unseen(exchange: Exchange, delta: Delta) -> bool:
    return "test_datasets_e2e" in exchange.name and delta.path.endswith(".expr0")


def _edited(exchange: Exchange, delta: Delta) -> bool:
    return "TestSelect." in exchange.name and delta.path.endswith(".Id")


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "record counts",
        "/limits/recordCount answers an estimate that lags behind, in recordings by days. The sandbox counts.",
        _estimated,
    ),
    Difference("another org", "Name, address and edition of the organization are the sandbox's own.", _another_org),
    Difference("fewer resources", "The root of a version lists what the sandbox has.", _fewer_resources),
    Difference("unseen hands", "Between two requests of this recording the accounts were deleted elsewhere.", _unseen),
    Difference("edited ids", "In these recordings five accounts got one and the same id by hand.", _edited),
    Difference("etag", "How Salesforce computes the ETag of a describe is not known.", _etag),
    Difference(
        "first user", "A query without ORDER BY may answer any user first; there is no Automated Process.", _other_users
    ),
)
