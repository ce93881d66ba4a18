"""A HubSpot portal on loopback."""

from crmsync.sandbox.hubspot.portal import HubSpotPortal

__all__ = ["HubSpotPortal"]
