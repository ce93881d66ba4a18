"""crmsync: partner facts on your CRM records."""

from importlib.metadata import version

__version__ = version("crmsync")
