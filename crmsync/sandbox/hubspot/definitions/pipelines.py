"""Pipelines and stages: those of a new portal (sales, support, lifecycle) and what is added to them.

The deal and contact pipelines follow recorded answers (metadata-deals-external-pipelines, and the same for contacts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.problems import invalid, not_found
from crmsync.sandbox.hubspot.stamps import wire

Pipeline = dict[str, Any]
_BEGINNING = "1970-01-01T00:00:00Z"
_DEAL_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
_TICKET_STAGES = (("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed"))
_LIFECYCLE_STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)


def _stage(stage_id: str, label: str, order: int, metadata: dict[str, str], at: str = _BEGINNING) -> dict[str, Any]:
    return {
        "label": label,
        "displayOrder": order,
        "metadata": metadata,
        "id": stage_id,
        "createdAt": at,
        "updatedAt": at,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }


def _pipeline(pipeline_id: str, label: str, order: int, stages: list[dict[str, Any]], at: str = _BEGINNING) -> Pipeline:
    shown = {"label": label, "displayOrder": order, "id": pipeline_id, "stages": stages}
    return {**shown, "createdAt": at, "updatedAt": at, "archived": False}


def _metadata(type_id: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Strings on the wire; a deal stage is closed when its probability is 0 or 1 (only the probability can be sent)."""
    metadata = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
    if type_id == "0-3":
        if "probability" not in metadata:
            raise invalid("Deal stages need the metadata property 'probability'")
        probability = _probability(metadata["probability"])
        return {"isClosed": str(probability in {0.0, 1.0}).lower(), "probability": str(probability)}
    closed = (
        metadata.get("ticketState", metadata.get("state", "OPEN")) == "CLOSED" or metadata.get("isClosed") == "true"
    )
    return {"isClosed": str(closed).lower(), **metadata}


def _probability(text: str) -> float:
    try:
        probability = float(text)
    except ValueError:
        probability = -1.0
    if not 0.0 <= probability <= 1.0:
        raise invalid(f"Invalid probability '{text}': expected a number from 0.0 to 1.0")
    return probability


def _initial() -> dict[str, list[Pipeline]]:
    deal = [
        _stage(
            stage_id, label, order, {"isClosed": str(probability in {"1.0", "0.0"}).lower(), "probability": probability}
        )
        for order, (stage_id, label, probability) in enumerate(_DEAL_STAGES)
    ]
    ticket = [
        _stage(i, label, order, {"isClosed": str(i == "4").lower(), "ticketState": "CLOSED" if i == "4" else "OPEN"})
        for order, (i, label) in enumerate(_TICKET_STAGES)
    ]
    life = [
        _stage(i, label, order, {"isClosed": str(i == "other").lower(), "state": "CLOSED" if i == "other" else "OPEN"})
        for order, (i, label) in enumerate(_LIFECYCLE_STAGES)
    ]
    return {
        "0-3": [_pipeline("default", "Sales Pipeline", 0, deal)],
        "0-5": [_pipeline("0", "Support Pipeline", 0, ticket)],
        "0-1": [_pipeline("contacts-lifecycle-pipeline", "Lifecycle Stage Pipeline", 0, life)],
    }


class Pipelines:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: dict[str, dict[str, Pipeline]] = {
            type_id: {pipeline["id"]: pipeline for pipeline in pipelines} for type_id, pipelines in _initial().items()
        }
        for type_id, name, body in database.documents("pipeline"):
            self._of.setdefault(type_id, {})[name] = body

    def of(self, type_id: str) -> list[Pipeline]:
        live = [pipeline for pipeline in self._of.get(type_id, {}).values() if not pipeline["archived"]]
        return sorted(live, key=lambda pipeline: pipeline["displayOrder"])

    def get(self, type_id: str, pipeline_id: str) -> Pipeline:
        found = self._of.get(type_id, {}).get(pipeline_id)
        if found is None or found["archived"]:
            raise not_found(f"Pipeline not found: {pipeline_id}", context={"pipelineId": [pipeline_id]})
        return found

    def stage(self, type_id: str, pipeline_id: str, stage_id: str) -> dict[str, Any]:
        for stage in self.get(type_id, pipeline_id)["stages"]:
            if stage["id"] == stage_id and not stage["archived"]:
                return dict(stage)
        raise not_found(f"Stage not found: {stage_id}", context={"stageId": [stage_id]})

    def find_stage(self, type_id: str, stage_id: str) -> tuple[str, dict[str, Any]] | None:
        """The pipeline's id and the stage, whichever pipeline it is in."""
        for pipeline in self.of(type_id):
            for stage in pipeline["stages"]:
                if stage["id"] == stage_id and not stage["archived"]:
                    return pipeline["id"], stage
        return None

    def save(self, type_id: str, pipeline: Pipeline) -> Pipeline:
        self._of.setdefault(type_id, {})[pipeline["id"]] = pipeline
        self._database.save_document("pipeline", type_id, pipeline["id"], pipeline)
        return pipeline

    def create(self, type_id: str, given: Mapping[str, Any], now_ms: int) -> Pipeline:
        pipeline_id = str(given.get("pipelineId") or self._new_id())
        return self.save(type_id, self.built(type_id, pipeline_id, given, now_ms))

    def built(self, type_id: str, pipeline_id: str, given: Mapping[str, Any], now_ms: int) -> Pipeline:
        if not given.get("label"):
            raise invalid("Invalid input JSON: some required fields were not set: [label]")
        stages = [self.built_stage(type_id, stage, now_ms) for stage in given.get("stages") or []]
        return _pipeline(pipeline_id, given["label"], given.get("displayOrder", 0), stages, wire(now_ms))

    def built_stage(self, type_id: str, given: Mapping[str, Any], now_ms: int, stage_id: str = "") -> dict[str, Any]:
        if not given.get("label"):
            raise invalid("Invalid input JSON: some required fields were not set: [label]")
        stage_id = stage_id or str(given.get("stageId") or given.get("id") or self._new_id())
        metadata = _metadata(type_id, given.get("metadata") or {})
        return _stage(stage_id, given["label"], given.get("displayOrder", 0), metadata, wire(now_ms))

    def patched(self, type_id: str, target: Mapping[str, Any], given: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        changed = {key: given[key] for key in ("label", "displayOrder", "archived") if key in given}
        if given.get("metadata"):
            changed["metadata"] = _metadata(type_id, {**target.get("metadata", {}), **given["metadata"]})
        return {**target, **changed, "updatedAt": wire(now_ms)}

    def _new_id(self) -> str:
        return str(self._database.take("pipeline", 1_150_000_001))
