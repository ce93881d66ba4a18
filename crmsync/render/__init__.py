"""A policy as a document that a partner manager can publish: plain sentences in Markdown or HTML. Pure."""

from crmsync.render.formats import to_html, to_markdown
from crmsync.render.policy import RulesDocument, Section, describe_policy

__all__ = ["RulesDocument", "Section", "describe_policy", "to_html", "to_markdown"]
