"""The sign-in constants of a new sandbox. Public on purpose: nothing real is behind them."""

from __future__ import annotations

SALESFORCE_CLIENT_ID = "sandbox-client"
SALESFORCE_CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - a loopback rehearsal org, see above
SALESFORCE_REFRESH_TOKEN = "5Aep-sandbox-refresh"  # noqa: S105
SALESFORCE_USERNAME = "integration@sandbox.example"
SALESFORCE_ADMIN_USERNAME = "admin@sandbox.example"
SALESFORCE_PASSWORD = "sandbox-password"  # noqa: S105

HUBSPOT_TOKEN = "pat-na1-sandbox-0000"  # noqa: S105
HUBSPOT_CLIENT_ID = "sandbox-client"
HUBSPOT_CLIENT_SECRET = "sandbox-secret"  # noqa: S105
HUBSPOT_REFRESH_TOKEN = "na1-sandbox-refresh"  # noqa: S105
