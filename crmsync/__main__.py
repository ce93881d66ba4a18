"""``python -m crmsync``."""

from crmsync.cli import main

main()
