"""Jobs: what was asked for, how far it is, and the book that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from crmsync.sandbox.salesforce.errors import SalesforceError, not_found

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

OPEN, UPLOADED, RUNNING, DONE, FAILED, ABORTED = (
    "Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted",
)  # fmt: skip
PREFIX = "750"
DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
QUERIES = frozenset({"query", "queryAll"})


@dataclass(slots=True)
class Job:
    """One job; its data lies apart in the book."""

    id: str
    operation: str
    object: str
    created_by: str
    created_at: str
    version: float
    state: str = OPEN
    external_id: str | None = None
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    query: str = ""
    changed_at: str = ""
    processed: int = 0
    failed: int = 0
    error: str = ""
    polls: int = field(default=0)

    @property
    def is_query(self) -> bool:
        return self.operation in QUERIES

    @property
    def is_over(self) -> bool:
        return self.state in (DONE, FAILED, ABORTED)

    def info(self) -> dict[str, Any]:
        """What creating and closing answer."""
        found: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": self.created_at,
            "systemModstamp": self.changed_at or self.created_at,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": self.version,
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }
        if self.external_id:
            found["externalIdFieldName"] = self.external_id
        if not self.is_query:
            found["contentUrl"] = f"services/data/v{self.version:.1f}/jobs/ingest/{self.id}/batches"
        return found

    def details(self) -> dict[str, Any]:
        """What a poll answers: counts are there from the start."""
        found = {**self.info(), "jobType": "V2Query" if self.is_query else "V2Ingest"}
        found |= {"retries": 0, "totalProcessingTime": 12 * self.processed, "numberRecordsProcessed": self.processed}
        if not self.is_query:
            found |= {"numberRecordsFailed": self.failed, "apiActiveProcessingTime": 10 * self.processed}
            found |= {"apexProcessingTime": 0}
        if self.error:
            found["errorMessage"] = self.error
        return found


class JobBook:
    """All jobs of the org, in its database."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    def add(self, **given: Any) -> Job:
        job_id = self.org.store.next_id(PREFIX)
        job = Job(id=job_id, created_at=self.org.stamp(), **given)
        row = (job.id, job.is_query, orjson.dumps(asdict(job)))
        self.org.store.connection.execute("INSERT INTO _job (id, is_query, spec) VALUES (?, ?, ?)", row)
        return job

    def save(self, job: Job) -> None:
        job.changed_at = self.org.stamp()
        self.org.store.connection.execute("UPDATE _job SET spec = ? WHERE id = ?", (orjson.dumps(asdict(job)), job.id))

    def get(self, job_id: str, *, is_query: bool) -> Job:
        spec = self.org.store.scalar(
            "SELECT spec FROM _job WHERE id LIKE ? || '%' AND is_query = ?", (job_id, is_query)
        )
        if spec is None or len(job_id) not in (15, 18):
            raise not_found()
        return Job(**orjson.loads(spec))

    def all(self, *, is_query: bool | None = None) -> Iterator[Job]:
        """Newest first."""
        kind = "1" if is_query is None else f"is_query = {int(is_query)}"
        for (spec,) in self.org.store.all(f"SELECT spec FROM _job WHERE {kind} ORDER BY id DESC"):
            yield Job(**orjson.loads(spec))

    def remove(self, job: Job) -> None:
        if job.state in (OPEN, RUNNING):
            raise wrong_state(f"The job is in state {job.state} and cannot be deleted")
        self.org.store.connection.execute("DELETE FROM _job WHERE id = ?", (job.id,))

    def put(self, job: Job, part: str, text: str) -> None:
        """``part``: data, successful, failed or unprocessed."""
        self.org.store.connection.execute(f"UPDATE _job SET {part} = ? WHERE id = ?", (text, job.id))

    def text(self, job: Job, part: str) -> str:
        return self.org.store.scalar(f"SELECT {part} FROM _job WHERE id = ?", (job.id,)) or ""


def wrong_state(message: str) -> SalesforceError:
    return SalesforceError("INVALIDJOBSTATE", message)


def option(given: dict[str, Any], key: str, default: str, known: dict[str, str] | frozenset[str]) -> str:
    """One of the words a job may be created with."""
    value = given.get(key) or default
    if not isinstance(value, str) or value not in known:
        raise SalesforceError("INVALIDJOB", f"InvalidJob : Invalid value for {key}: {value}")
    return value
