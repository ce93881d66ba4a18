"""crmsync: partner facts on your CRM records."""


def __getattr__(name: str) -> str:
    """``__version__`` when it is asked for: reading the package's metadata takes longer than all of ``--help``."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import version

    return version("crmsync")
