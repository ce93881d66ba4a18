"""The matching model: how records are compared, and what a comparison says. Pure."""
