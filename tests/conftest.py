"""The conformance table is printed by whoever gathers the results; with xdist that is not who collects the tests."""

from tests.sandbox.conformance.summary import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]
