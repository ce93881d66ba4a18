"""The work of an ingest job: each row a write with its own outcome, results in another order than the upload."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce import effects
from crmsync.sandbox.salesforce.bulk.jobs import DONE, FAILED, Job
from crmsync.sandbox.salesforce.bulk.table import BadTable, read_table, write_table
from crmsync.sandbox.salesforce.errors import MultipleMatches, SalesforceError
from crmsync.sandbox.salesforce.records import Actor
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.values import to_stored

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
NULL = "#N/A"
_RELATED = re.compile(r"(?:(?P<type>\w+):)?(?P<relation>\w+)\.(?P<field>\w+)")
Outcome = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Column:
    """A header cell, understood: a field of the record, or the external id of what a lookup points to."""

    field: Field
    related_key: str = ""
    related_type: str = ""

    def value(self, cell: str) -> tuple[str, Any]:
        if not self.related_key or cell == NULL:
            return self.field.name, None if cell in ("", NULL) else cell
        attributes = {"attributes": {"type": self.related_type}} if self.related_type else {}
        return str(self.field.relationship), {**attributes, self.related_key: cell}


class Ingest:
    """Runs one job to its end."""

    def __init__(self, org: SalesforceOrg, job: Job, seed: int) -> None:
        self.org, self.job, self.seed = org, job, seed
        self.sobject = org.schema.require(job.object)
        self.actor = Actor(org.access(job.created_by), request_id=job.id, over_http=True)
        self.rows: dict[str, list[list[str]]] = {"successful": [], "failed": [], "unprocessed": []}

    def run(self) -> None:
        book, job = self.org.bulk.book, self.job
        try:
            header, data = read_table(job, book.text(job, "data"))
            columns = [self._column(name) for name in header]
            self._check_columns(header)
        except BadTable as problem:
            job.state, job.error = FAILED, str(problem)
            book.put(job, "unprocessed", book.text(job, "data"))
            book.save(job)
            return
        for row in data:
            self._row(columns, row)
        for part, extra in (("successful", ["sf__Id", "sf__Created"]), ("failed", ["sf__Id", "sf__Error"])):
            found = self.rows[part]
            Random(f"{self.seed}:{job.id}:{part}").shuffle(found)
            book.put(job, part, write_table(job, [extra + header, *found]))
        book.put(job, "unprocessed", write_table(job, [header]))
        job.processed, job.failed, job.state = len(data), len(self.rows["failed"]), DONE
        book.save(job)

    # ---------------------------------------------------------------- header

    def _column(self, name: str) -> Column:
        match = _RELATED.fullmatch(name.strip())
        if match is None:
            item = self.actor.access.field(self.sobject, name.strip())
            if item is None:
                raise BadTable(f"InvalidBatch : Field name not found : {name}")
            return Column(item)
        return self._related(name, match["type"] or "", match["relation"], match["field"])

    def _related(self, name: str, type_: str, relation: str, key: str) -> Column:
        item = self.sobject.by_relationship.get(relation.lower())
        targets = [type_] if type_ else list(item.reference_to[:1]) if item else []
        target = self.org.schema.get(targets[0]) if targets else None
        if item is None or target is None or self.actor.access.field(target, key) is None:
            raise BadTable(f"InvalidBatch : Field name not found : {name}")
        return Column(item, key, target.name)

    def _check_columns(self, header: list[str]) -> None:
        names = {name.strip().lower() for name in header}
        if self.job.operation in ("delete", "hardDelete") and names != {"id"}:
            raise BadTable(f"InvalidBatch : The '{self.job.operation}' batch must contain only ids")
        if self.job.operation == "upsert" and str(self.job.external_id).lower() not in names:
            raise BadTable(f"InvalidBatch : Field name not found : {self.job.external_id}")
        if self.job.operation == "update" and "id" not in names:
            raise BadTable("InvalidBatch : Field name not found : Id")

    # ---------------------------------------------------------------- rows

    def _row(self, columns: list[Column], cells: list[str]) -> None:
        given = self._values(columns, cells)
        record_id = str(given.get("Id") or "")
        try:
            with self.org.store.transaction():
                done, created = _WORK[self.job.operation](self, given)
            self.rows["successful"].append([done, "true" if created else "false", *cells])
        except (SalesforceError, MultipleMatches) as problem:
            self.rows["failed"].append([record_id, self._problem(problem, given), *cells])

    def _values(self, columns: list[Column], cells: list[str]) -> dict[str, Any]:
        """An empty cell says nothing on update; ``#N/A`` clears."""
        pairs = (
            column.value(cell) for column, cell in zip(columns, cells, strict=True) if cell or column.field.type == "id"
        )
        return dict(pairs)

    def _problem(self, problem: SalesforceError | MultipleMatches, given: dict[str, Any]) -> str:
        """``CODE:message:fields --``."""
        if isinstance(problem, MultipleMatches):
            return f"DUPLICATE_EXTERNAL_ID:{self.job.external_id}: more than one record found for external id field:--"
        if problem.code == "JSON_PARSER_ERROR":
            return self._wrong_type(given)
        fields = f"{', '.join(problem.fields)} " if problem.fields else ""
        return f"{problem.code}:{problem.message}:{fields}--"

    def _wrong_type(self, given: dict[str, Any]) -> str:
        """A cell that is no value of its column's type: REST calls it unreadable JSON, Bulk names the field."""
        for name, value in given.items():
            item = self.sobject.field(name)
            try:
                if item is not None:
                    to_stored(item, value)
            except SalesforceError:
                what = f"{item.label if item else name}: value not of required type: {value}"
                return f"INVALID_TYPE_ON_FIELD_IN_RECORD:{what}:{name} --"
        return "INVALID_TYPE_ON_FIELD_IN_RECORD:value not of required type:--"

    # ---------------------------------------------------------------- operations

    def insert(self, given: dict[str, Any]) -> Outcome:
        return self.org.records.create(self.actor, self.sobject, {k: v for k, v in given.items() if k != "Id"}), True

    def update(self, given: dict[str, Any]) -> Outcome:
        record_id = self._id(given)
        self.org.records.update(self.actor, self.sobject, record_id, given)
        return record_id, False

    def upsert(self, given: dict[str, Any]) -> Outcome:
        key = str(self.job.external_id)
        value = next((item for name, item in given.items() if name.lower() == key.lower()), None)
        return self.org.records.upsert(self.actor, self.sobject, key, value, given)

    def delete(self, given: dict[str, Any]) -> Outcome:
        record_id = self._id(given)
        self.org.records.delete(self.actor, self.sobject, record_id)
        return record_id, False

    def hard_delete(self, given: dict[str, Any]) -> Outcome:
        """Past the recycle bin: only the delete log tells."""
        record_id, _ = self.delete(given)
        effects.purge(self.org, self.sobject, record_id)
        return record_id, False

    @staticmethod
    def _id(given: dict[str, Any]) -> str:
        record_id = given.pop("Id", None)
        if not record_id:
            raise SalesforceError("MISSING_ARGUMENT", "Id not specified", fields=[])
        return str(record_id)


_WORK: dict[str, Callable[[Ingest, dict[str, Any]], Outcome]] = {
    "insert": Ingest.insert, "update": Ingest.update, "upsert": Ingest.upsert, "delete": Ingest.delete,
    "hardDelete": Ingest.hard_delete,
}  # fmt: skip


def check_target(org: SalesforceOrg, name: str, actor: Actor, operation: str) -> SObject:
    """The object a new job may write to."""
    sobject = org.schema.get(name)
    if sobject is None or sobject.spec.get("pseudo") or not actor.access.can(sobject, "read"):
        raise SalesforceError("INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")
    if operation == "hardDelete" and not actor.access.changes_all_objects:
        message = (
            "hardDelete operation requires special user profile permission, please contact your system administrator"
        )
        raise SalesforceError("FEATURENOTENABLED", message)
    return sobject
