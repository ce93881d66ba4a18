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


def _less_on_update(exchange: Exchange, delta: Delta) -> bool:
    is_update = exchange.method == "PATCH" or exchange.path.endswith("/batch/update")
    return is_update and delta.ours == NOTHING and ".properties." in delta.path


_FEATURES = ("hs_currently_enrolled_in_prospecting_agent", "hs_prospecting_agent", "hs_sequences", "hs_membership")


def _features(_exchange: Exchange, delta: Delta) -> bool:
    return delta.ours == NOTHING and delta.path.rpartition(".")[2].startswith(_FEATURES)


def _group_order(exchange: Exchange, delta: Delta) -> bool:
    return "/groups" in exchange.path and delta.path == "body.displayOrder"


def _structured_errors(exchange: Exchange, delta: Delta) -> bool:
    return exchange.status == 400 and delta.path == "body.errors" and delta.theirs == NOTHING


def _paging_link(_exchange: Exchange, delta: Delta) -> bool:
    return delta.path == "body.paging.next.link" and "offset_param" in str(delta.theirs)


def _lists(exchange: Exchange, _delta: Delta) -> bool:
    return exchange.path.startswith("/crm/v3/lists")


DIFFERENCES = (
    Difference(
        "less-on-update",
        "The answer to an update shows what was written and what is computed. HubSpot adds some properties that were "
        "neither, by a rule that is not documented.",
        _less_on_update,
    ),
    Difference(
        "features",
        "Properties of HubSpot's own features (sequences, memberships, prospecting agents) are not defined.",
        _features,
    ),
    Difference(
        "group-order",
        "A property group without an order keeps -1; the recorded account had others before it.",
        _group_order,
    ),
    Difference(
        "structured-errors",
        "Bad values stand in `errors` too, as in all recordings since 2025; one of 2022 has them in the message only.",
        _structured_errors,
    ),
    Difference(
        "paging-link",
        "`paging.next.link` has the path that was asked, as recorded in 2025. In 2026 it was recorded as "
        "`/crm/objects/v3/…?offset_param=after`. Clients page by `after`.",
        _paging_link,
    ),
    Difference("lists", "Lists are not modelled: their paths answer a JSON 404.", _lists),
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
