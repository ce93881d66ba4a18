"""What custom objects and fields the org has, whoever may see them, and creating what is missing.

Describe shows only what the user may read, so a field that lacks a permission looks like one that lacks altogether; the
Tooling API knows the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

import orjson

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.metadata import field_metadata, full_name, object_package, with_more_values
from crmsync.connectors.salesforce.soql import in_url
from crmsync.errors import Permanent, Transient
from crmsync.remote import FieldDef, ObjectDef

_POLL_S = 1.0
_POLLS = 300


class Schema:
    """The org's custom objects and fields by API name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @cached_property
    def _object_ids(self) -> Mapping[str, str]:
        rows = self._tooling("SELECT Id, DeveloperName, NamespacePrefix FROM CustomObject")
        return {f"{row['DeveloperName']}__c": row["Id"] for row in rows if not row.get("NamespacePrefix")}

    @cached_property
    def _field_ids(self) -> Mapping[str, str]:
        names = {record_id[:15]: name for name, record_id in self._object_ids.items()}
        rows = self._tooling("SELECT Id, DeveloperName, TableEnumOrId, NamespacePrefix FROM CustomField")
        return {
            f"{names.get(row['TableEnumOrId'][:15], row['TableEnumOrId'])}.{row['DeveloperName']}__c": row["Id"]
            for row in rows
            if not row.get("NamespacePrefix")
        }

    def has_object(self, name: str) -> bool:
        return name in self._object_ids

    def has_field(self, field: FieldDef) -> bool:
        return full_name(field) in self._field_ids

    def lacks_field(self, object_name: str, name: str) -> bool:
        """Whether it is sure that there is none: packages' fields and standard ones are not among those we can list."""
        is_own = name.endswith("__c") and "__" not in name.removesuffix("__c")
        return is_own and f"{object_name}.{name}" not in self._field_ids

    def create_objects(self, objects: Sequence[ObjectDef]) -> None:
        """Deploy all of them in one package and wait for the end.

        :raises Permanent: with the first component's problem when the deployment failed; nothing was created then.
        """
        options = {"singlePackage": True, "rollbackOnError": True, "checkOnly": False}
        content_type, body = _multipart({"deployOptions": options}, object_package(objects, self._client.version))
        started = self._client.request(
            "POST", "metadata/deployRequest", body=body, headers={"Content-Type": content_type}, idempotent=True
        )
        self._await_deployment(started.json()["id"])
        self._forget()

    def create_field(self, field: FieldDef) -> None:
        """:raises Permanent: with Salesforce's reason, naming the field."""
        definition = {"FullName": full_name(field), "Metadata": field_metadata(field)}
        try:
            self._client.sf.toolingexecute("sobjects/CustomField", method="POST", data=definition)
        except Permanent as error:
            if error.vendor_code == "DUPLICATE_DEVELOPER_NAME":
                return  # made by somebody since we looked
            raise Permanent(
                f"salesforce did not create '{full_name(field)}' ({error.message})",
                system="salesforce",
                status=error.status,
                vendor_code=error.vendor_code,
                request_id=error.request_id,
                hint=error.hint,
            ) from error

    def add_values(self, field: FieldDef, options: Sequence[str]) -> None:
        """Add values to a custom picklist, leaving all others as they are."""
        path = f"sobjects/CustomField/{self._field_ids[full_name(field)]}"
        current = self._client.sf.toolingexecute(path)
        changed = {"Metadata": with_more_values(current["Metadata"], options)}
        self._client.sf.toolingexecute(path, method="PATCH", data=changed)

    def _tooling(self, soql: str) -> Iterator[Mapping[str, Any]]:
        link = f"tooling/query?q={in_url(soql)}"
        while link:
            body = self._client.request("GET", link).json()
            yield from body["records"]
            link = "" if body["done"] else body["nextRecordsUrl"]

    def _forget(self) -> None:
        for name in ("_object_ids", "_field_ids"):
            self.__dict__.pop(name, None)

    def _await_deployment(self, deployment_id: str) -> None:
        path = f"metadata/deployRequest/{quote(deployment_id)}?includeDetails=true"
        for _ in range(_POLLS):
            result = self._client.request("GET", path).json()["deployResult"]
            if result["done"]:
                break
            self._client.sleep(_POLL_S)
        else:
            raise Transient("the deployment of the custom objects takes too long", system="salesforce", hint=_LOOK)
        if not result["success"]:
            raise Permanent(
                f"salesforce did not create the objects ({_reason(result)})", system="salesforce", hint=_LOOK
            )


_LOOK = "look at Setup, Deployment Status, then run again: crmsync provision"


def _reason(result: Mapping[str, Any]) -> str:
    failures = (result.get("details") or {}).get("componentFailures") or ()
    first: Mapping[str, Any] = next(iter(failures), {})
    return str(first.get("problem") or result.get("errorMessage") or result.get("status"))


def _multipart(options: Mapping[str, Any], package: bytes) -> tuple[str, bytes]:
    """A form of two parts, ``json`` and ``file`` ("Deploy Metadata with Apex Testing Using REST")."""
    boundary = "crmsync-package"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n'
        f"{orjson.dumps(options).decode()}\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="package.zip"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", head.encode() + package + f"\r\n--{boundary}--\r\n".encode()
