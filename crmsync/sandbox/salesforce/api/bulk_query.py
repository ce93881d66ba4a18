"""/jobs/query: create, poll, results by locator or as a list of pages, abort, list, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from crmsync.sandbox.salesforce.api.bulk import abort, all_jobs, csv_answer, remove
from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.bulk.jobs import DELIMITERS, DONE, LINE_ENDINGS, QUERIES, Job, option, wrong_state
from crmsync.sandbox.salesforce.bulk.queries import locator, offset_of
from crmsync.sandbox.salesforce.errors import SalesforceError, not_found

OPERATIONS = Operations()
PAGES_AT_ONCE, PAGES_FROM = 5, 58.0


@OPERATIONS.on("POST", "/jobs/query")
def create(call: Call) -> Answer:
    given = call.json_object()
    operation = option(given, "operation", "", QUERIES)
    text = given.get("query")
    if not isinstance(text, str) or not text.strip():
        raise SalesforceError("MALFORMED_QUERY", "A query string has to be specified")
    option(given, "contentType", "CSV", frozenset({"CSV"}))
    statement = call.org.bulk.queries.check(text, call.access, operation)
    job = call.org.bulk.book.add(
        operation=operation,
        object=statement.scope.sobject.name,
        query=text,
        created_by=call.actor.user_id,
        version=call.version,
        delimiter=option(given, "columnDelimiter", "COMMA", DELIMITERS),
        line_ending=option(given, "lineEnding", "LF", LINE_ENDINGS),
    )
    call.org.bulk.enqueue(job)
    return Answer(200, job.info())


@OPERATIONS.on("GET", "/jobs/query/{job_id}")
def poll(call: Call, job_id: str) -> Answer:
    return Answer(200, call.org.bulk.poll(call.org.bulk.book.get(job_id, is_query=True)).details())


@OPERATIONS.on("PATCH", "/jobs/query/{job_id}")
def change(call: Call, job_id: str) -> Answer:
    return abort(call, call.org.bulk.book.get(job_id, is_query=True), call.json_object().get("state"))


@OPERATIONS.on("DELETE", "/jobs/query/{job_id}")
def delete(call: Call, job_id: str) -> Answer:
    return remove(call, call.org.bulk.book.get(job_id, is_query=True))


@OPERATIONS.on("GET", "/jobs/query")
def listing(call: Call) -> Answer:
    return all_jobs(call, "query")


@OPERATIONS.on("GET", "/jobs/query/{job_id}/results")
def results(call: Call, job_id: str) -> Answer:
    job = _finished(call, job_id)
    bulk = call.org.bulk
    start = _offset(call)
    content, count, more = bulk.queries.page(job, start, _max_records(call) or bulk.page_rows)
    return csv_answer(content, {"Sforce-Locator": more, "Sforce-NumberOfRecords": str(count)})


@OPERATIONS.on("GET", "/jobs/query/{job_id}/resultPages")
def result_pages(call: Call, job_id: str) -> Answer:
    """Addresses of the next five pages, to be read side by side."""
    if call.version < PAGES_FROM:
        raise not_found()
    job = _finished(call, job_id)
    size = call.org.bulk.result_page_rows
    total = len(call.org.bulk.queries.result(job).rows)
    start = _offset(call)
    end = start + PAGES_AT_ONCE * size
    url = f"{call.base}/jobs/query/{job.id}"
    pages = [
        {"resultUrl": f"{url}/results?{urlencode({'maxRecords': size, 'locator': locator(at)})}"}
        for at in range(start, min(end, max(total, 1)), size)
    ]
    body: dict[str, Any] = {"resultPages": pages, "nextRecordsUrl": None, "done": end >= total}
    if end < total:
        body["nextRecordsUrl"] = f"{url}/resultPages?locator={locator(end)}"
    return Answer(200, body)


def _finished(call: Call, job_id: str) -> Job:
    job = call.org.bulk.book.get(job_id, is_query=True)
    if job.version != call.version:
        message = f"The job was created with version {job.version}; its results have to be read with the same"
        raise SalesforceError("VERSION_MISMATCH", message, status=409)
    if job.state != DONE:
        raise wrong_state(f"The job is in state {job.state}; results are there when it is complete")
    return job


def _offset(call: Call) -> int:
    given = call.query.get("locator")
    return offset_of(given) if given else 0


def _max_records(call: Call) -> int:
    given = call.query.get("maxRecords")
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit()) or int(given[:12]) < 1:
        raise SalesforceError("INVALID_ARGUMENT", f"maxRecords has to be a positive number: {given[:40]}")
    return int(given[:12])
