"""Connectors: each CRM behind one protocol (``base.py``). The only room that imports a vendor's client."""

from __future__ import annotations

from crmsync.connectors.base import ConnectionSettings, Connector
from crmsync.errors import UsageError

SYSTEMS = ("salesforce", "hubspot")


def open_connector(settings: ConnectionSettings) -> Connector:
    """The connector of a connection; the vendor's client is imported only now. Nothing is sent yet.

    :raises UsageError: for a system that there is no connector for, or an unusable url.
    """
    if settings.system == "salesforce":
        from crmsync.connectors.salesforce.connector import SalesforceConnector

        return SalesforceConnector(settings)
    if settings.system == "hubspot":
        from crmsync.connectors.hubspot.connector import HubSpotConnector

        return HubSpotConnector(settings)
    raise UsageError(
        f"connection '{settings.name}' has the system '{settings.system}'; known are {', '.join(SYSTEMS)}",
        hint="correct 'system' of the connection in crmsync.yaml",
    )
