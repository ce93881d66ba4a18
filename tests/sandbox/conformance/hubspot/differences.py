"""Where the portal differs from a recording on purpose. The docs print this table."""

from __future__ import annotations

from tests.sandbox.conformance.framework import NOTHING, Delta, Difference, Exchange


def _is_write(exchange: Exchange) -> bool:
    return exchange.method in {"POST", "PATCH"} and not exchange.path.partition("?")[0].endswith(("/search", "/read"))


def _is_search(exchange: Exchange) -> bool:
    return exchange.path.endswith("/search")


def _more_computed(exchange: Exchange, delta: Delta) -> bool:
    return _is_write(exchange) and delta.theirs == NOTHING and ".properties." in delta.path


def _enrichment(_exchange: Exchange, delta: Delta) -> bool:
    return delta.path.endswith(".twitterhandle") and delta.theirs == "DEMO" and delta.ours is None


def _index_lag(exchange: Exchange, delta: Delta) -> bool:
    return (
        _is_search(exchange)
        and delta.path.startswith(("body.total", "body.results"))
        and (delta.path == "body.total" or NOTHING in (delta.theirs, delta.ours))
    )


def _ties(exchange: Exchange, delta: Delta) -> bool:
    return _is_search(exchange) and delta.path == "body.results[order]"


def _settling(exchange: Exchange, delta: Delta) -> bool:
    stamp = delta.path.rsplit(".", 1)[-1] in {"updatedAt", "lastmodifieddate", "hs_lastmodifieddate"}
    return _is_search(exchange) and stamp and {delta.theirs, delta.ours} == {"<created>", "<later>"}


DIFFERENCES = (
    Difference(
        "more-computed",
        "The answer to a write carries more computed properties than portals of 2022 had: it follows recordings of "
        "2025 and 2026.",
        _more_computed,
    ),
    Difference(
        "enrichment",
        "HubSpot fills in facts about a company that it knows from the domain (recorded: the Twitter handle). The "
        "sandbox knows no company of the world.",
        _enrichment,
    ),
    Difference(
        "index-lag",
        "How long the search index lags differs from record to record and cannot be told from a recording; the sandbox "
        "has one lag for all (`behaviour.index_lag_ms`).",
        _index_lag,
    ),
    Difference(
        "ties",
        "Records of one batch are made in the same millisecond; in which order a search without sort rule lists them "
        "is not documented. The sandbox goes by id.",
        _ties,
    ),
    Difference(
        "settling",
        "When exactly a new record's modified date moves again is drawn at random within the recorded bounds.",
        _settling,
    ),
)
