"""Secrets by reference: the project file names places, the values are read only when a CRM is about to be called.

A reference names one or more of ``env``, ``file`` and ``keyring``, tried in this order. When none has a value, the
error tells every place that was looked at.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmsync.connectors.base import ConnectionSettings
from crmsync.errors import AuthError
from crmsync.log import register_secret

if TYPE_CHECKING:
    from crmsync.project import Connection

PLACES = ("env", "file", "keyring")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where references are looked up: the environment, and the directory that relative files start from."""

    environ: Mapping[str, str] = field(repr=False)
    directory: Path


class _Absent(Exception):
    """Nothing at this place; the text says what was found instead."""


def connection_settings(connection: Connection, environ: Mapping[str, str]) -> ConnectionSettings:
    """What a connector is built from, secrets resolved.

    :raises AuthError: when a secret is nowhere to be found.
    """
    around = Surroundings(environ, connection.directory)
    return ConnectionSettings(
        name=connection.name,
        system=connection.system,
        url=connection.url,
        auth=connection.auth,
        secrets={
            name: resolve_secret(f"{connection.name}.{name}", reference, around, system=connection.system)
            for name, reference in connection.secrets.items()
        },
        api_version=connection.api_version,
        api_share=connection.api_share,
        timeout_s=connection.timeout_s,
        overlap_s=connection.overlap_s,
    )


def resolve_secret(name: str, reference: Mapping[str, str], around: Surroundings, *, system: str) -> str:
    """The value behind a reference; from then on the logs redact it.

    :raises AuthError: when no place has it, or a file could be read by others.
    """
    trail: list[str] = []
    for place in PLACES:
        if not (target := reference.get(place)):
            continue
        try:
            value = _LOOKUPS[place](target, around)
        except _Absent as absent:
            trail.append(f"{_LABELS[place]} {target} ({absent})")
            continue
        register_secret(value)
        return value
    looked = "; ".join(trail) or "nowhere: the reference names no env, file or keyring"
    raise AuthError(f"no value for '{name}'; looked in: {looked}", system=system, hint=_hint(reference), code="E310")


def _from_env(target: str, around: Surroundings) -> str:
    value = around.environ.get(target)
    if value is None:
        raise _Absent("not set")
    if not value.strip():
        raise _Absent("empty")
    return value.strip()


def _from_file(target: str, around: Surroundings) -> str:
    path = around.directory / Path(target).expanduser()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise AuthError(
                f"secret file '{path}' can be read by others (mode {mode:04o})",
                system="",
                hint=f"chmod 600 '{path}'",
                code="E311",
            )
        value = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise _Absent("no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _Absent(getattr(error, "strerror", None) or "not a text file") from None
    if not value:
        raise _Absent("empty")
    return value


def _from_keyring(target: str, _around: Surroundings) -> str:
    service, _, user = target.partition("/")
    try:
        keyring = import_module("keyring")
    except ModuleNotFoundError:
        raise _Absent("the keyring package is not installed") from None
    try:
        value = keyring.get_password(service, user or "crmsync")
    except Exception as error:  # noqa: BLE001 - each keyring backend has errors of its own, and none may end a lookup
        raise _Absent(type(error).__name__) from None
    if not value:
        raise _Absent("not there")
    return str(value)


_LOOKUPS: Mapping[str, Callable[[str, Surroundings], str]] = MappingProxyType(
    {"env": _from_env, "file": _from_file, "keyring": _from_keyring}
)
_LABELS = MappingProxyType({"env": "environment", "file": "file", "keyring": "keyring"})


def _hint(reference: Mapping[str, str]) -> str:
    if reference.get("env"):
        return f"export {reference['env']}=…"
    if reference.get("file"):
        return f"put it in '{reference['file']}' and chmod 600 it"
    return f"keyring set {' '.join(reference.get('keyring', 'crmsync').split('/'))}"
