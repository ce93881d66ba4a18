"""The SOAP that clients still send: login, and what the Metadata API needs to make objects and fields."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crmsync.sandbox import credentials
from crmsync.sandbox.salesforce import customize
from crmsync.sandbox.salesforce.api import metadata
from crmsync.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.api.auth import Sessions
    from crmsync.sandbox.salesforce.org import SalesforceOrg

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
_PARTNER, _METADATA = "urn:partner.soap.sforce.com", "http://soap.sforce.com/2006/04/metadata"
_LAST_LOGIN_VERSION = 64.0
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def routes(sessions: Sessions, org: SalesforceOrg) -> list[BaseRoute]:
    soap = Soap(sessions, org)
    return [
        Route("/services/Soap/u/{version}", soap.partner, methods=["POST"]),
        Route("/services/Soap/u/{version}/{org_id}", soap.partner, methods=["POST"]),
        Route("/services/Soap/m/{version}", soap.metadata, methods=["POST"]),
        Route("/services/Soap/m/{version}/{rest:path}", soap.metadata, methods=["POST"]),
    ]


class Soap:
    def __init__(self, sessions: Sessions, org: SalesforceOrg) -> None:
        self.sessions, self.org = sessions, org

    # ---------------------------------------------------------------- login

    async def partner(self, request: Request) -> Response:
        root = _parse(await request.body())
        username, password = _text(root, "username"), _text(root, "password")
        version = request.path_params["version"]
        if _number(version) > _LAST_LOGIN_VERSION:
            return self._fault(
                request, _PARTNER, "UNSUPPORTED_API_VERSION", "login() is not available in this API version"
            )
        with self.org.store.lock:
            user_id = self.org.user_id(username)
            user = self.org.row("User", user_id) if user_id else None
        if user is None or user_id is None or not password.startswith(credentials.SALESFORCE_PASSWORD):
            message = "Invalid username, password, security token; or user locked out."
            return self._fault(request, _PARTNER, "INVALID_LOGIN", message)
        return self._reply(request, _PARTNER, self._login_result(request, version, user_id, user))

    def _login_result(self, request: Request, version: str, user_id: str, user: dict[str, Any]) -> str:
        base = f"{request.url.scheme}://{request.url.netloc}/services/Soap"
        info = {
            "organizationId": self.org.id,
            "organizationName": "Sandbox Company",
            "userEmail": user["Email"],
            "userFullName": user["Name"],
            "userId": user_id,
            "userLanguage": "en_US",
            "userLocale": "en_US",
            "userName": user["Username"],
            "userTimeZone": "GMT",
            "userType": "Standard",
        }
        result = {
            "metadataServerUrl": f"{base}/m/{version}/{self.org.id}",
            "passwordExpired": "false",
            "sandbox": "true",
            "serverUrl": f"{base}/u/{version}/{self.org.id}",
            "sessionId": self.sessions.start(user_id),
            "userId": user_id,
        }
        return f"<loginResponse><result>{_xml(result)}<userInfo>{_xml(info)}</userInfo></result></loginResponse>"

    # ---------------------------------------------------------------- metadata

    async def metadata(self, request: Request) -> Response:
        root = _parse(await request.body())
        user_id = self.sessions.user_of_token(_text(root, "sessionId"))
        if user_id is None:
            return self._fault(
                request,
                _METADATA,
                "INVALID_SESSION_ID",
                "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader",
            )
        body = next((child for element in root if element.tag.endswith("}Body") for child in element), None)
        operation = "" if body is None else _local(body.tag)
        action = {"createMetadata": self._create, "readMetadata": self._read, "deploy": self._deploy,
                  "checkDeployStatus": self._deploy_status}.get(operation)  # fmt: skip
        if action is None or body is None:
            return self._fault(
                request,
                _METADATA,
                "UNKNOWN_EXCEPTION",
                f"{operation or 'this operation'} is not supported by the sandbox",
            )
        self.org.api_calls += 1
        with self.org.store.transaction():
            return self._reply(request, _METADATA, action(body, user_id))

    def _create(self, body: ElementTree.Element, _user_id: str) -> str:
        results = "".join(self._create_one(element) for element in body if _local(element.tag) == "metadata")
        return f"<createMetadataResponse>{results}</createMetadataResponse>"

    def _create_one(self, element: ElementTree.Element) -> str:
        kind = element.get(_XSI_TYPE, "").rpartition(":")[2]
        plain = metadata.to_plain(element)
        name = str(plain.get("fullName", ""))
        makers: dict[str, Callable[[], Any]] = {
            "CustomObject": lambda: metadata.create_object(self.org, name, plain),
            "CustomField": lambda: customize.add_field(self.org, name, plain),
        }
        try:
            if kind not in makers:
                raise SalesforceError("INVALID_TYPE", f"createMetadata of {kind} is not supported by the sandbox")
            with self.org.store.transaction():
                makers[kind]()
        except SalesforceError as error:
            problem = f"<errors>{_xml({'message': error.message, 'statusCode': error.code})}</errors>"
            return f"<result>{problem}<fullName>{escape(name)}</fullName><success>false</success></result>"
        return f"<result><fullName>{escape(name)}</fullName><success>true</success></result>"

    def _read(self, body: ElementTree.Element, _user_id: str) -> str:
        kind = _text(body, "type")
        names = [element.text or "" for element in body if _local(element.tag) == "fullNames"]
        records = "".join(self._read_one(kind, name) for name in names)
        return f"<readMetadataResponse><result>{records}</result></readMetadataResponse>"

    def _read_one(self, kind: str, name: str) -> str:
        sobject = self.org.schema.get(name) if kind == "CustomObject" else None
        if sobject is None:
            return '<records xsi:nil="true"/>'
        known = {"fullName": sobject.name, "label": sobject.spec["label"], "pluralLabel": sobject.spec["labelPlural"]}
        return f'<records xsi:type="CustomObject">{_xml(known)}</records>'

    def _deploy(self, body: ElementTree.Element, user_id: str) -> str:
        archive = metadata.open_zip(base64.b64decode(_text(body, "ZipFile") or _text(body, "zipFile")))
        deploy_id = self.org.store.next_id("0Af")
        result = metadata.deploy_archive(self.org, archive, deploy_id, user_id)
        self.org.store.save_setting(f"deploy.{deploy_id}", result)
        queued = _xml({"done": "false", "id": deploy_id, "state": "Queued"})
        return f"<deployResponse><result>{queued}</result></deployResponse>"

    def _deploy_status(self, body: ElementTree.Element, _user_id: str) -> str:
        found = self.org.store.setting(f"deploy.{_text(body, 'asyncProcessId')}") or {}
        return f"<checkDeployStatusResponse><result>{_xml(found)}</result></checkDeployStatusResponse>"

    # ---------------------------------------------------------------- envelopes

    def _reply(self, request: Request, namespace: str, body: str) -> Response:
        self.org.log_request(request.method, request.url.path, 200)
        return Response(_ENVELOPE.format(namespace=namespace, body=body), 200, media_type="text/xml;charset=UTF-8")

    def _fault(self, request: Request, namespace: str, code: str, message: str) -> Response:
        self.org.log_request(request.method, request.url.path, 500)
        fault = _xml({"exceptionCode": code, "exceptionMessage": message}, "sf:")
        detail = f"<detail><sf:UnexpectedErrorFault>{fault}</sf:UnexpectedErrorFault></detail>"
        told = _xml({"faultcode": f"sf:{code}", "faultstring": f"{code}: {message}"})
        body = f"<soapenv:Fault>{told}{detail}</soapenv:Fault>"
        return Response(_ENVELOPE.format(namespace=namespace, body=body), 500, media_type="text/xml;charset=UTF-8")


def _parse(content: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - loopback only
    except ElementTree.ParseError:
        return ElementTree.Element("empty")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(root: ElementTree.Element, name: str) -> str:
    return next((element.text or "" for element in root.iter() if _local(element.tag) == name), "")


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _xml(values: dict[str, Any], prefix: str = "") -> str:
    """Elements of a mapping; lists repeat theirs, what is null is left out."""
    pairs = ((name, item) for name, value in values.items() for item in (value if isinstance(value, list) else [value]))
    return "".join(
        f"<{prefix}{name}>{_xml_value(item, prefix)}</{prefix}{name}>" for name, item in pairs if item is not None
    )


def _xml_value(value: Any, prefix: str) -> str:
    if isinstance(value, dict):
        return _xml(value, prefix)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
