from pathlib import Path

import pytest

from crmsync.errors import AuthError
from crmsync.log import redact_text
from crmsync.secrets import Surroundings, resolve_secret


def resolve(reference: dict[str, str], directory: Path, **environ: str) -> str:
    return resolve_secret("acme.token", reference, Surroundings(environ, directory), system="hubspot")


def secret_file(directory: Path, text: str = "from-file-1\n", mode: int = 0o600) -> Path:
    path = directory / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_environment_comes_first(tmp_path: Path) -> None:
    secret_file(tmp_path)
    both = {"file": "token", "env": "TOKEN"}
    assert resolve(both, tmp_path, TOKEN=" from-env-1 ") == "from-env-1"
    assert resolve(both, tmp_path) == "from-file-1"


def test_a_missing_secret_names_every_place(tmp_path: Path) -> None:
    secret_file(tmp_path, "\n")
    with pytest.raises(AuthError) as caught:
        resolve({"env": "TOKEN", "file": "token", "keyring": "crmsync/acme"}, tmp_path)
    assert caught.value.exit_code == 4
    message = caught.value.message
    assert message.startswith("no value for 'acme.token'; looked in: environment TOKEN (not set); file token (empty); ")
    assert "keyring crmsync/acme (" in message
    assert caught.value.hint == "export TOKEN=…"


@pytest.mark.parametrize(("value", "found"), [("", "empty"), ("   ", "empty")])
def test_an_empty_variable_is_no_secret(tmp_path: Path, value: str, found: str) -> None:
    with pytest.raises(AuthError, match=rf"environment TOKEN \({found}\)"):
        resolve({"env": "TOKEN"}, tmp_path, TOKEN=value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path, mode=0o644)
    with pytest.raises(AuthError, match="can be read by others") as caught:
        resolve({"file": "token"}, tmp_path)
    assert caught.value.hint == f"chmod 600 '{path}'"


def test_a_resolved_secret_never_shows(tmp_path: Path) -> None:
    value = resolve({"env": "TOKEN"}, tmp_path, TOKEN="canary-8151")
    assert redact_text(f"x{value}y") == "x[redacted]y"
    assert "canary-8151" not in repr(Surroundings({"TOKEN": value}, tmp_path))
