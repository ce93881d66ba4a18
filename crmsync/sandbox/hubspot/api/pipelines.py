"""Pipelines and stages (developers.hubspot.com: CRM API | Pipelines)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.scopes import schemas
from crmsync.sandbox.hubspot.data.search import Clause
from crmsync.sandbox.hubspot.problems import invalid

_STAGE_PROPERTY = {"0-3": "dealstage", "0-5": "hs_pipeline_stage"}


def list_pipelines(call: Call) -> Answer:
    return 200, {"results": call.portal.pipelines.of(call.kind.id)}


def read_pipeline(call: Call) -> Answer:
    return 200, call.portal.pipelines.get(call.kind.id, call.path["pipeline_id"])


def create_pipeline(call: Call) -> Answer:
    return 201, call.portal.pipelines.create(call.kind.id, call.json(), call.now_ms)


def replace_pipeline(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.get(kind.id, call.path["pipeline_id"])
    built = pipelines.built(kind.id, old["id"], call.json(), call.now_ms)
    kept = {stage["id"] for stage in built["stages"]}
    _check_unused(call, [stage["id"] for stage in old["stages"] if stage["id"] not in kept])
    return 200, pipelines.save(kind.id, {**built, "createdAt": old["createdAt"]})


def update_pipeline(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.get(kind.id, call.path["pipeline_id"])
    return 200, pipelines.save(kind.id, pipelines.patched(kind.id, old, call.json(), call.now_ms))


def delete_pipeline(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.get(kind.id, call.path["pipeline_id"])
    _check_unused(call, [stage["id"] for stage in old["stages"]])
    pipelines.save(kind.id, pipelines.patched(kind.id, old, {"archived": True}, call.now_ms))
    return 204, None


def list_stages(call: Call) -> Answer:
    pipeline = call.portal.pipelines.get(call.kind.id, call.path["pipeline_id"])
    return 200, {"results": [stage for stage in pipeline["stages"] if not stage["archived"]]}


def read_stage(call: Call) -> Answer:
    return 200, call.portal.pipelines.stage(call.kind.id, call.path["pipeline_id"], call.path["stage_id"])


def create_stage(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    pipeline = pipelines.get(kind.id, call.path["pipeline_id"])
    stage = pipelines.built_stage(kind.id, call.json(), call.now_ms)
    if any(stage["id"] == one["id"] for one in pipeline["stages"]):
        raise invalid(f"A stage with the id {stage['id']} already exists", context={"stageIds": [stage["id"]]})
    pipelines.save(kind.id, {**pipeline, "stages": [*pipeline["stages"], stage]})
    return 201, stage


def replace_stage(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.stage(kind.id, call.path["pipeline_id"], call.path["stage_id"])
    return 200, _put(call, pipelines.built_stage(kind.id, call.json(), call.now_ms, old["id"]))


def update_stage(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.stage(kind.id, call.path["pipeline_id"], call.path["stage_id"])
    return 200, _put(call, pipelines.patched(kind.id, old, call.json(), call.now_ms))


def delete_stage(call: Call) -> Answer:
    kind, pipelines = call.kind, call.portal.pipelines
    old = pipelines.stage(kind.id, call.path["pipeline_id"], call.path["stage_id"])
    _check_unused(call, [old["id"]])
    _put(call, pipelines.patched(kind.id, old, {"archived": True}, call.now_ms))
    return 204, None


def audit(call: Call) -> Answer:
    call.portal.pipelines.get(call.kind.id, call.path["pipeline_id"])
    return 200, {"results": []}


def _put(call: Call, stage: dict[str, Any]) -> dict[str, Any]:
    kind, pipelines = call.kind, call.portal.pipelines
    pipeline = pipelines.get(kind.id, call.path["pipeline_id"])
    stages = [stage if one["id"] == stage["id"] else one for one in pipeline["stages"]]
    pipelines.save(kind.id, {**pipeline, "stages": stages})
    return stage


def _check_unused(call: Call, stages: Sequence[str]) -> None:
    kind = call.kind
    name = _STAGE_PROPERTY.get(kind.id)
    if not name or not stages:
        return
    where = Clause(f"json_extract(properties, '$.{name}') IN ({','.join('?' * len(stages))})", list(stages))
    total, ids = call.portal.index.find(kind.id, where, Clause("id"), 0, 10, call.now_ms)
    if total:
        raise invalid(
            f"Stages are still used by {total} records",
            subCategory="PipelineError.STAGE_ID_IN_USE",
            context={"stageIds": list(stages), "objectIds": [str(one) for one in ids]},
        )


_PIPELINE = "/{object_type}/{pipeline_id}"
_STAGE = _PIPELINE + "/stages/{stage_id}"
_READ, _WRITE = schemas("read"), schemas("write")
ENDPOINTS = (
    Endpoint("GET", "pipelines", "/{object_type}", list_pipelines, _READ),
    Endpoint("POST", "pipelines", "/{object_type}", create_pipeline, _WRITE),
    Endpoint("GET", "pipelines", _PIPELINE, read_pipeline, _READ),
    Endpoint("PUT", "pipelines", _PIPELINE, replace_pipeline, _WRITE),
    Endpoint("PATCH", "pipelines", _PIPELINE, update_pipeline, _WRITE),
    Endpoint("DELETE", "pipelines", _PIPELINE, delete_pipeline, _WRITE),
    Endpoint("GET", "pipelines", _PIPELINE + "/audit", audit, _READ),
    Endpoint("GET", "pipelines", _PIPELINE + "/stages", list_stages, _READ),
    Endpoint("POST", "pipelines", _PIPELINE + "/stages", create_stage, _WRITE),
    Endpoint("GET", "pipelines", _STAGE, read_stage, _READ),
    Endpoint("PUT", "pipelines", _STAGE, replace_stage, _WRITE),
    Endpoint("PATCH", "pipelines", _STAGE, update_stage, _WRITE),
    Endpoint("DELETE", "pipelines", _STAGE, delete_stage, _WRITE),
    Endpoint("GET", "pipelines", _STAGE + "/audit", audit, _READ),
)
