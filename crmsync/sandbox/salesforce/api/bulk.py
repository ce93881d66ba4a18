"""/jobs/ingest: create, upload once, close or abort, poll, results, list, delete."""

from __future__ import annotations

import re
from email import message_from_bytes
from typing import Any

import orjson

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations, read_json
from crmsync.sandbox.salesforce.bulk.ingest import OPERATIONS as WRITES
from crmsync.sandbox.salesforce.bulk.ingest import check_target
from crmsync.sandbox.salesforce.bulk.jobs import (
    ABORTED,
    DELIMITERS,
    LINE_ENDINGS,
    OPEN,
    UPLOADED,
    Job,
    option,
    wrong_state,
)
from crmsync.sandbox.salesforce.errors import SalesforceError, json_error, no_external_field

OPERATIONS = Operations()
PAGE = 1000
_PARTS = {"successfulResults": "successful", "failedResults": "failed", "unprocessedrecords": "unprocessed"}


def csv_answer(content: bytes, headers: dict[str, str] | None = None) -> Answer:
    return Answer(200, content, {"Content-Type": "text/csv", **(headers or {})})


@OPERATIONS.on("POST", "/jobs/ingest")
def create(call: Call) -> Answer:
    if call.headers.get("content-type", "").startswith("multipart/form-data"):
        return _create_with_data(call)
    return Answer(200, _new_job(call, call.json_object()).info())


def _new_job(call: Call, given: dict[str, Any]) -> Job:
    operation = option(given, "operation", "", WRITES)
    if option(given, "contentType", "CSV", frozenset({"CSV"})) and not isinstance(given.get("object"), str):
        raise SalesforceError("INVALIDJOB", "InvalidJob : object is missing")
    sobject = check_target(call.org, given["object"], call.actor, operation)
    key = given.get("externalIdFieldName")
    if operation == "upsert":
        item = call.access.field(sobject, str(key)) if key else None
        if item is None or not (item.describe["externalId"] or item.describe["idLookup"]):
            raise (
                no_external_field(str(key))
                if key
                else SalesforceError("INVALIDJOB", "InvalidJob : externalIdFieldName is missing")
            )
        key = item.name
    return call.org.bulk.book.add(
        operation=operation,
        object=sobject.name,
        created_by=call.actor.user_id,
        version=call.version,
        external_id=key if operation == "upsert" else None,
        delimiter=option(given, "columnDelimiter", "COMMA", DELIMITERS),
        line_ending=option(given, "lineEnding", "LF", LINE_ENDINGS),
    )


def _create_with_data(call: Call) -> Answer:
    """Job and up to 100,000 characters of CSV in one request; the job is closed at once."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + call.raw)
    parts: dict[str, bytes] = {}
    for part in message.get_payload() if message.is_multipart() else []:
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        parts[str(name)] = part.get_payload(decode=True)  # type: ignore[union-attr,assignment]
    given = read_json(parts.get("job", b""))
    if not isinstance(given, dict) or "content" not in parts:
        raise json_error("A multipart request needs a part named job (JSON) and a part named content (CSV)")
    text = _decode(parts["content"])
    if len(text) > call.org.bulk.max_multipart:
        message_text = f"The content part may hold {call.org.bulk.max_multipart} characters at most"
        raise SalesforceError("EXCEEDED_MAX_SIZE_REQUEST", message_text)
    job = _new_job(call, given)
    call.org.bulk.book.put(job, "data", text)
    call.org.bulk.enqueue(job)
    return Answer(200, job.info())


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        raise SalesforceError("CLIENTINPUTERROR", f"The data is not UTF-8: {problem.reason}") from None


@OPERATIONS.on("PUT", "/jobs/ingest/{job_id}/batches")
def upload(call: Call, job_id: str) -> Answer:
    book = call.org.bulk.book
    job = book.get(job_id, is_query=False)
    if job.state != OPEN:
        raise wrong_state(f"The job is in state {job.state}; data can be uploaded in state Open only")
    if book.text(job, "data"):
        message = (
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then "
            "create a new Job and make sure you only do 'PUT' once on a given Job."
        )
        raise wrong_state(message)
    if len(call.raw) > call.org.bulk.max_upload:
        message = f"Request body is larger than the maximum of {call.org.bulk.max_upload} bytes"
        raise SalesforceError("EXCEEDED_MAX_SIZE_REQUEST", message, status=413)
    book.put(job, "data", _decode(call.raw))
    return Answer(201)


@OPERATIONS.on("PATCH", "/jobs/ingest/{job_id}")
def change(call: Call, job_id: str) -> Answer:
    job = call.org.bulk.book.get(job_id, is_query=False)
    wanted = call.json_object().get("state")
    if wanted == UPLOADED and job.state == OPEN:
        if not call.org.bulk.book.text(job, "data"):
            raise SalesforceError("CLIENTINPUTERROR", "No data has been uploaded to the job")
        call.org.bulk.enqueue(job)
        return Answer(200, job.info())
    return abort(call, job, wanted)


def abort(call: Call, job: Job, wanted: object) -> Answer:
    """What was not done stays undone, and is all there to be read as unprocessed."""
    if wanted != ABORTED or job.is_over:
        raise wrong_state(f"Job state changes from {job.state} to {wanted} are not supported")
    book = call.org.bulk.book
    job.state = ABORTED
    book.put(job, "unprocessed", book.text(job, "data"))
    book.save(job)
    call.org.bulk.drop(job)
    return Answer(200, job.info())


@OPERATIONS.on("GET", "/jobs/ingest/{job_id}")
def poll(call: Call, job_id: str) -> Answer:
    return Answer(200, call.org.bulk.poll(call.org.bulk.book.get(job_id, is_query=False)).details())


@OPERATIONS.on("DELETE", "/jobs/ingest/{job_id}")
def delete(call: Call, job_id: str) -> Answer:
    return remove(call, call.org.bulk.book.get(job_id, is_query=False))


def remove(call: Call, job: Job) -> Answer:
    call.org.bulk.book.remove(job)
    call.org.bulk.drop(job)
    return Answer(204)


@OPERATIONS.on("GET", "/jobs/ingest/{job_id}/{part}")
def results(call: Call, job_id: str, part: str) -> Answer:
    book = call.org.bulk.book
    job = book.get(job_id, is_query=False)
    if part not in _PARTS:
        raise SalesforceError("NOT_FOUND", "The requested resource does not exist", status=404)
    if not job.is_over:
        raise wrong_state(f"The job is in state {job.state}; results are there when it is over")
    return csv_answer(book.text(job, _PARTS[part]).encode())


@OPERATIONS.on("GET", "/jobs/ingest")
def listing(call: Call) -> Answer:
    return all_jobs(call, "ingest")


def all_jobs(call: Call, kind: str) -> Answer:
    """Both kinds of jobs, whichever of the two lists is asked for; ``jobType`` narrows it."""
    jobs = [_summary(job) for job in call.org.bulk.book.all()]
    wanted = call.query.get("jobType")
    jobs = [job for job in jobs if wanted in (None, job["jobType"])]
    start = int(found.group()) if (found := re.fullmatch(r"\d{1,9}", call.query.get("queryLocator", ""))) else 0
    page, more = jobs[start : start + PAGE], start + PAGE
    body: dict[str, Any] = {"done": more >= len(jobs), "records": page}
    body["nextRecordsUrl"] = None if body["done"] else f"{call.base}/jobs/{kind}?queryLocator={more}"
    return Answer(200, orjson.dumps(body))


def _summary(job: Job) -> dict[str, Any]:
    return {**job.info(), "jobType": "V2Query" if job.is_query else "V2Ingest"}
