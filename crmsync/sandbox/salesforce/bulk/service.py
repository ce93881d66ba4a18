"""How jobs move on: a poll after the upload finds the job at work, the next one finds it done."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.bulk.ingest import Ingest
from crmsync.sandbox.salesforce.bulk.jobs import RUNNING, UPLOADED, Job, JobBook
from crmsync.sandbox.salesforce.bulk.queries import QueryJobs

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

_PATIENCE = 3.0
"""Seconds after which a job that nobody polls is done anyway."""


class Bulk:
    """The org's Bulk API. Settings may be changed at any time."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self.book = JobBook(org)
        self.queries = QueryJobs(org)
        self.seed = 0
        """Decides in which order results come."""
        self.polls_at_work = 1
        """How many polls answer InProgress before a job is done."""
        self.max_upload = 150_000_000
        self.max_multipart = 100_000
        self.page_rows = 250_000
        """Records in a page of results where the client does not say."""
        self.result_page_rows = 10_000
        self._waiting: dict[str, tuple[bool, float]] = {}

    def enqueue(self, job: Job) -> None:
        job.state = UPLOADED
        self.book.save(job)
        self._waiting[job.id] = (job.is_query, monotonic())

    def poll(self, job: Job) -> Job:
        if job.state in (UPLOADED, RUNNING):
            job.polls += 1
            if job.polls > self.polls_at_work:
                self._work(job)
            else:
                job.state = RUNNING
                self.book.save(job)
        return job

    def tick(self) -> None:
        """Called with every request: finish what has waited long enough."""
        for job_id, (is_query, since) in list(self._waiting.items()):
            if monotonic() - since > _PATIENCE:
                with self.org.store.transaction():
                    job = self.book.get(job_id, is_query=is_query)
                    if job.state in (UPLOADED, RUNNING):
                        self._work(job)

    def drop(self, job: Job) -> None:
        self._waiting.pop(job.id, None)
        self.queries.forget(job)

    def _work(self, job: Job) -> None:
        self._waiting.pop(job.id, None)
        if job.is_query:
            self.queries.run(job)
        else:
            Ingest(self.org, job, self.seed).run()
