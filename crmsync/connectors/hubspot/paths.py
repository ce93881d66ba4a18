"""Where each family of the API lives: under v3/v4, or under a date.

The client from the registry knows v3 and v4 only. HubSpot ends their support in 2027 and has offered the same calls
under dated paths since March 2026 (developers.hubspot.com: "API versioning"). So every path is written once, in the
v3/v4 form, and rewritten here when a connection asks for a date.
"""

from __future__ import annotations

import re

_DATED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), template)
    for pattern, template in (
        (r"^/crm/v4/objects/([^/]+)/([^/]+)/associations", r"/crm/objects/{date}/\1/\2/associations"),
        (r"^/crm/v3/objects", "/crm/objects/{date}"),
        (r"^/crm/v3/properties", "/crm/properties/{date}"),
        (r"^/crm/v3/pipelines", "/crm/pipelines/{date}"),
        (r"^/crm/v3/owners/?", "/crm/owners/{date}/"),
        (r"^/crm/v4/associations", "/crm/associations/{date}"),
        (r"^/crm-object-schemas/v3", "/crm-object-schemas/{date}"),
        (r"^/oauth/v1/token$", "/oauth/{date}/token"),
    )
)


def dated_path(path: str, date: str) -> str:
    """``path`` as the API version ``date`` (``2026-09``) spells it; unchanged without a date or for another family."""
    if not date:
        return path
    for pattern, template in _DATED:
        new, hits = pattern.subn(template.replace("{date}", date), path, count=1)
        if hits:
            return new.rstrip("/")
    return path


ACCOUNT_DETAILS = "/account-info/v3/details"
DAILY_USAGE = "/account-info/v3/api-usage/daily/private-apps"
OAUTH_TOKEN_INFO = "/oauth/v1/access-tokens"  # noqa: S105 - a path
PRIVATE_APP_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
