"""Sign-in by simple-salesforce's own login code: client credentials, JWT bearer, or a ready access token."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
from jwt.exceptions import InvalidKeyError
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from crmsync.connectors.base import ConnectionSettings
from crmsync.errors import AuthError

FLOWS = ("client_credentials", "jwt", "token")


class SignIn:
    """One connection's flow. :meth:`token` logs in and returns (access token, host of the org)."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self.flow = self._chosen_flow()

    def token(self, session: requests.Session) -> tuple[str, str]:
        """:raises AuthError: when something is missing, or Salesforce refuses."""
        login: dict[str, Callable[[requests.Session], tuple[str, str]]] = {
            "client_credentials": self._by_client_credentials,
            "jwt": self._by_jwt,
            "token": self._by_given_token,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # simple-salesforce warns on stderr about what the AuthError says
            try:
                return login[self.flow](session)
            except SalesforceAuthenticationFailed as error:
                raise self._refused(str(error.code or error.message)) from error

    def _by_client_credentials(self, session: requests.Session) -> tuple[str, str]:
        return SalesforceLogin(
            session=session,
            consumer_key=self._value("client_id"),
            consumer_secret=self._value("client_secret"),
            domain=self._my_domain(),
        )

    def _by_jwt(self, session: requests.Session) -> tuple[str, str]:
        try:
            return SalesforceLogin(
                session=session,
                username=self._value("username"),
                consumer_key=self._value("client_id"),
                privatekey=self._private_key(),
                domain=self._login_domain(),
            )
        except (ValueError, InvalidKeyError):
            raise self._incomplete("private_key is no RSA private key in PEM form") from None

    def _by_given_token(self, _session: requests.Session) -> tuple[str, str]:
        return self._value("access_token"), urlsplit(self._settings.url).netloc

    def _chosen_flow(self) -> str:
        flow = self._settings.auth.get("flow") or self._flow_by_what_is_given()
        if flow not in FLOWS:
            raise self._incomplete(f"'{flow}' is no flow; known are {', '.join(FLOWS)}")
        return flow

    def _flow_by_what_is_given(self) -> str:
        given = {**self._settings.auth, **self._settings.secrets}
        if given.get("access_token"):
            return "token"
        return "jwt" if given.get("private_key") else "client_credentials"

    def _value(self, name: str) -> str:
        value = self._settings.secrets.get(name) or self._settings.auth.get(name)
        if not value:
            raise self._incomplete(f"{name} is missing for the flow '{self.flow}'")
        return value

    def _private_key(self) -> str:
        """The PEM text itself, or the path of a file that holds it."""
        given = self._value("private_key")
        if "-----BEGIN" in given:
            return given.replace("\\n", "\n")
        try:
            return Path(given).expanduser().read_text()
        except OSError:
            raise self._incomplete("private_key names a file that cannot be read") from None

    def _my_domain(self) -> str:
        """simple-salesforce wants the part before ``.salesforce.com``; the session sends to the connection's url."""
        host = urlsplit(self._settings.url).hostname or ""
        if host in ("login.salesforce.com", "test.salesforce.com"):
            raise self._incomplete("client credentials need the org's own url, https://<MyDomain>.my.salesforce.com")
        return host.removesuffix(".salesforce.com")

    def _login_domain(self) -> str:
        """The audience of the assertion: ``login``, or ``test`` for a Salesforce sandbox."""
        host = urlsplit(self._settings.url).hostname or ""
        given = self._settings.auth.get("login_domain", "")
        return given or ("test" if ".sandbox." in host or host.startswith("test.") else "login")

    def _incomplete(self, what: str) -> AuthError:
        return AuthError(
            f"connection '{self._settings.name}': {what}",
            system="salesforce",
            hint="complete auth and secrets of the connection in crmsync.yaml, then: crmsync doctor",
        )

    def _refused(self, what: str) -> AuthError:
        return AuthError(
            f"salesforce refused the sign-in ({what})",
            system="salesforce",
            hint="check url, client_id and the secret of the connection, then: crmsync doctor",
        )
