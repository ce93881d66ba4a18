"""The control routes of a running sandbox, for the commands that work on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from crmsync.errors import UsageError

DEFAULT_URL = "http://127.0.0.1:8790"
_TIMEOUT_S = 60
F = Callable[..., Any]


def url_option(function: F) -> F:
    option: Callable[[F], F] = click.option(
        "--url", default=DEFAULT_URL, envvar="CRMSYNC_SANDBOX_URL", show_default=True, help="Where the sandbox serves."
    )
    return option(function)


def call(url: str, method: str, path: str, body: Any = None, **params: Any) -> Any:
    """The JSON that the sandbox answers.

    :raises UsageError: when none answers there, or it refuses what was asked.
    """
    import requests

    address = f"{url.rstrip('/')}/_sandbox/{path}"
    with requests.Session() as session:
        session.trust_env = False  # a proxy is no way to this machine
        try:
            answer = session.request(method, address, json=body, params=params, timeout=_TIMEOUT_S)
            found = answer.json()
        except requests.RequestException:
            hint = "start one with 'crmsync sandbox start', or say where it is: --url"
            raise UsageError(f"no sandbox answers at {url}", hint=hint) from None
    if not answer.ok:
        raise UsageError(found["error"])
    return found
