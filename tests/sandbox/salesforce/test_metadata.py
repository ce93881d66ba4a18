"""Custom objects: a deploy over REST, createMetadata over SOAP with the vendor client's own zeep."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
OBJECT = f"""{HEAD}<CustomObject {NAMESPACE}>
<label>Touch</label><pluralLabel>Touches</pluralLabel><deploymentStatus>Deployed</deploymentStatus>
<sharingModel>ReadWrite</sharingModel><enableActivities>true</enableActivities>
<nameField><label>Touch Name</label><type>Text</type></nameField>
<fields><fullName>Key__c</fullName><label>Key</label><type>Text</type><length>40</length><externalId>true</externalId><unique>true</unique></fields>
<fields><fullName>Kind__c</fullName><label>Kind</label><type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition>
<value><fullName>demo</fullName><label>Demo</label><default>false</default></value>
<value><fullName>intro</fullName><label>Intro</label><default>false</default></value></valueSetDefinition></valueSet></fields>
</CustomObject>"""
PERMISSIONS = f"""{HEAD}<PermissionSet {NAMESPACE}><label>Sync</label>
<objectPermissions><object>Touch__c</object><allowRead>true</allowRead><allowCreate>true</allowCreate><allowEdit>true</allowEdit>
<allowDelete>false</allowDelete><viewAllRecords>false</viewAllRecords><modifyAllRecords>false</modifyAllRecords></objectPermissions>
<fieldPermissions><field>Touch__c.Key__c</field><readable>true</readable><editable>true</editable></fieldPermissions></PermissionSet>"""
PACKAGE = f"{HEAD}<Package {NAMESPACE}><version>60.0</version></Package>"


def deploy(send: Send, files: dict[str, str]) -> dict[str, Any]:
    """Deploy a zip and poll once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {"package.xml": PACKAGE, **files}.items():
            archive.writestr(name, content)
    options = json.dumps({"deployOptions": {"singlePackage": True, "rollbackOnError": True}})
    parts = {"json": (None, options, "application/json"), "file": ("deploy.zip", buffer.getvalue(), "application/zip")}
    answer = send("POST", "/metadata/deployRequest", files=parts)
    assert answer.status_code == 201, answer.text
    assert answer.json()["deployResult"]["status"] == "Pending"
    polled = send("GET", f"/metadata/deployRequest/{answer.json()['id']}?includeDetails=true")
    result: dict[str, Any] = polled.json()["deployResult"]
    return result


def test_a_deploy_makes_objects_fields_and_permissions(send: Send, org: SalesforceOrg) -> None:
    files = {"objects/Touch__c.object": OBJECT, "permissionsets/Sync.permissionset": PERMISSIONS}
    result = deploy(send, files)
    assert (result["status"], result["done"], result["numberComponentErrors"]) == ("Succeeded", True, 0)
    touch = org.schema.require("Touch__c")
    assert [item.name for item in touch.fields.values() if item.custom] == ["Key__c", "Kind__c"]
    assert touch.fields["kind__c"].options == ["demo", "intro"]
    [permission_set] = org.rows("PermissionSet", "Name = 'Sync'")
    assert org.rows("FieldPermissions", "ParentId = ?", [permission_set["Id"]])[0]["Field"] == "Touch__c.Key__c"
    again = deploy(send, files)
    assert again["status"] == "Succeeded"
    assert not any(message["created"] for message in again["details"]["componentSuccesses"])


def test_a_deploy_is_all_or_nothing(send: Send, org: SalesforceOrg) -> None:
    bad = OBJECT.replace("Touch", "Broken").replace("<length>40</length>", "")
    result = deploy(send, {"objects/Broken__c.object": bad})
    assert (result["status"], result["success"]) == ("Failed", False)
    [failure] = result["details"]["componentFailures"]
    assert failure["fullName"] == "Broken__c.Key__c"
    assert "Must specify 'length'" in failure["problem"]
    assert org.schema.get("Broken__c") is None
    good = deploy(send, {"objects/Broken__c.object": OBJECT.replace("Touch", "Broken")})
    assert good["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("objects/X__c.object", f"<CustomObject {NAMESPACE}/>", "label"),
        ("objects/X__c.object", "<nonsense", "Error parsing file"),
        ("classes/X.cls", "class X {}", "Not supported"),
    ],
)
def test_what_cannot_be_deployed_says_why(send: Send, name: str, content: str, problem: str) -> None:
    [failure] = deploy(send, {name: content})["details"]["componentFailures"]
    assert problem in failure["problem"]


def test_a_request_without_a_zip_is_refused(send: Send) -> None:
    answer = send("POST", "/metadata/deployRequest", files={"json": (None, "{}", "application/json")})
    assert answer.status_code == 400
    assert send("GET", "/metadata/deployRequest/0AfBx0000000zzz").status_code == 404


def test_the_client_deploys_over_soap(sf: Salesforce, org: SalesforceOrg, tmp_path: Path) -> None:
    good, bad = OBJECT.replace("Touch", "Soaped"), "<CustomObject/>"
    for name, content, state in (("Soaped", good, "Succeeded"), ("Bad", bad, "Failed")):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"objects/{name}__c.object", content)
        deployment = sf.deploy(str(path), sandbox=True)
        status = sf.checkDeployStatus(deployment["asyncId"])
        assert status["state"] == state
    assert status["deployment_detail"]["errors"][0]["message"].startswith("Must specify a non-empty label")
    assert org.schema.get("Soaped__c") is not None


@pytest.fixture
def mdapi(sf: Salesforce, box: Sandbox) -> Iterator[Any]:
    """The client's own SOAP side; it builds its transport itself, so only its address can be changed."""
    sf.metadata_url = f"{box.url}/services/Soap/m/{sf.sf_version}/"
    yield sf.mdapi
    sf.mdapi._client.transport.session.close()


def test_create_metadata_makes_objects(mdapi: Any, org: SalesforceOrg) -> None:
    name_field = mdapi.CustomField(label="Name", type=mdapi.FieldType("Text"))
    custom = mdapi.CustomObject(
        fullName="Soap__c", label="Soap", pluralLabel="Soaps", nameField=name_field,
        deploymentStatus=mdapi.DeploymentStatus("Deployed"), sharingModel=mdapi.SharingModel("ReadWrite"),
    )  # fmt: skip
    mdapi.CustomObject.create(custom)
    assert org.schema.get("Soap__c") is not None
    with pytest.raises(Exception, match="already an object named"):
        mdapi.CustomObject.create(custom)
    assert mdapi.CustomObject.read("Soap__c").label == "Soap"
