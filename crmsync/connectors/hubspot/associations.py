"""Ties between records: read in batches, made with the right type, labels included (guide "Associations v4")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.limits import ASSOCIATIONS
from crmsync.connectors.hubspot.objects import PRIMARY_ASSOCIATIONS
from crmsync.connectors.hubspot.problems import NO_ASSOCIATIONS, NOT_FOUND, Problem, parse_problem
from crmsync.connectors.hubspot.records import chunked, results_of
from crmsync.errors import Permanent
from crmsync.remote import RemoteLink, WriteLink

READ_BATCH = 1000
WRITE_BATCH = 1000
PRIMARY = "primary"


def read_links(
    api: HubSpotApi, from_type: str, to_type: str, to_object: str, ids: Sequence[str]
) -> dict[str, tuple[RemoteLink, ...]]:
    """Every tie of each record, over as many pages as a record needs; a record without ties has an empty tuple.

    ``to_object`` is the name that the ties carry, ``to_type`` what goes into the URL.
    """
    found: dict[str, list[RemoteLink]] = {record_id: [] for record_id in ids}
    todo: list[dict[str, str]] = [{"id": record_id} for record_id in found]
    while todo:
        again: list[dict[str, str]] = []
        for chunk in chunked(todo, READ_BATCH):
            answer = api.call(
                api.associations.get_page, from_type, to_type, {"inputs": chunk}, safe=True, lane=ASSOCIATIONS
            )
            for item in results_of(answer.body):
                record_id = str(item["from"]["id"])
                found.setdefault(record_id, []).extend(_link(to_object, entry) for entry in item.get("to") or ())
                if after := ((item.get("paging") or {}).get("next") or {}).get("after"):
                    again.append({"id": record_id, "after": str(after)})
            _only_none(answer.body, answer.request_id)
        todo = again
    return {record_id: tuple(links) for record_id, links in found.items()}


def _link(to_object: str, entry: Mapping[str, Any]) -> RemoteLink:
    labels = dict.fromkeys(_label(t) for t in entry.get("associationTypes") or ())
    return RemoteLink(to_object, str(entry["toObjectId"]), tuple(labels))


def _label(association_type: Mapping[str, Any]) -> str:
    """HubSpot's own labels in lower case (``primary``); an account's own as written."""
    label = association_type.get("label") or ""
    return label.lower() if association_type.get("category") == "HUBSPOT_DEFINED" else label


def _only_none(body: Mapping[str, Any], request_id: str) -> None:
    """A record without ties is reported as an error entry (recorded); anything else would make ties seem to vanish."""
    for entry in body.get("errors") or ():
        if entry.get("subCategory") == NO_ASSOCIATIONS or entry.get("category") == NOT_FOUND:
            continue
        problem = parse_problem(entry)
        if problem.sub_category != NO_ASSOCIATIONS:
            raise Permanent(
                f"hubspot could not read some associations ({problem.code}: {problem.summary})",
                system="hubspot",
                vendor_code=problem.code,
                request_id=request_id,
            )


class LinkWriter:
    """Makes ties. Sending a tie again changes nothing, so a lost answer is simply asked again."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api
        self._types: dict[tuple[str, str, str], Mapping[str, Any]] = {}

    def make(
        self, from_type: str, from_object: str, to_type: str, to_object: str, links: Iterable[tuple[str, WriteLink]]
    ) -> dict[str, Problem]:
        """Tie ``from`` ids to what their links name; returns the problem per ``from`` id that could not be tied."""
        plain = [(f, link) for f, link in links if not link.label]
        labelled = [(f, link) for f, link in links if link.label]
        return {
            **self._make_plain(from_type, to_type, plain),
            **self._make_labelled(from_type, from_object, to_type, to_object, labelled),
        }

    def _make_plain(self, from_type: str, to_type: str, links: Sequence[tuple[str, WriteLink]]) -> dict[str, Problem]:
        failed: dict[str, Problem] = {}
        for chunk in chunked(links, WRITE_BATCH):
            inputs = [{"from": {"id": f}, "to": {"id": link.to_id}} for f, link in chunk]
            failed |= self._send(self._api.associations.create_default, from_type, to_type, inputs)
        return failed

    def _make_labelled(
        self, from_type: str, from_object: str, to_type: str, to_object: str, links: Sequence[tuple[str, WriteLink]]
    ) -> dict[str, Problem]:
        """A write replaces the labels of a pair, so those that are there are sent along."""
        if not links:
            return {}
        present = read_links(self._api, from_type, to_type, to_object, [f for f, _ in links])
        wanted: dict[tuple[str, str], dict[str, None]] = {}
        for from_id, link in links:
            labels = wanted.setdefault((from_id, link.to_id), {})
            labels |= dict.fromkeys(
                lb for old in present[from_id] if old.to_id == link.to_id for lb in old.labels if lb
            )
            labels[link.label] = None
        inputs = [
            {
                "from": {"id": f},
                "to": {"id": t},
                "types": [self.type_of(from_type, from_object, to_type, to_object, lb) for lb in labels],
            }
            for (f, t), labels in wanted.items()
        ]
        failed: dict[str, Problem] = {}
        for chunk in chunked(inputs, WRITE_BATCH):
            failed |= self._send(self._api.associations.create, from_type, to_type, chunk)
        return failed

    def _send(self, endpoint: Any, from_type: str, to_type: str, inputs: list[dict[str, Any]]) -> dict[str, Problem]:
        answer = self._api.call(endpoint, from_type, to_type, {"inputs": inputs}, safe=True, lane=ASSOCIATIONS)
        problems = [parse_problem(entry) for entry in (answer.body or {}).get("errors") or ()]
        if not problems:
            return {}
        made = {str(r.get("fromObjectId") or (r.get("from") or {}).get("id")) for r in answer.body.get("results") or ()}
        return {i["from"]["id"]: problems[0] for i in inputs if i["from"]["id"] not in made}

    def type_of(self, from_type: str, from_object: str, to_type: str, to_object: str, label: str) -> Mapping[str, Any]:
        """Category and type id of a label between two objects.

        :raises Permanent: when the account has no such label.
        """
        primary = PRIMARY_ASSOCIATIONS.get((from_object, to_object)) if label == PRIMARY else None
        if primary:
            return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": primary}
        key = (from_type, to_type, label)
        if key not in self._types:
            for entry in read_labels(self._api, from_type, to_type):
                self._types[from_type, to_type, _label(entry)] = {
                    "associationCategory": entry["category"],
                    "associationTypeId": entry["typeId"],
                }
        if key not in self._types:
            raise Permanent(
                f"hubspot has no association label '{label}' from {from_object} to {to_object}",
                system="hubspot",
                hint="crmsync provision creates it",
            )
        return self._types[key]


def read_labels(api: HubSpotApi, from_type: str, to_type: str) -> list[Mapping[str, Any]]:
    return results_of(api.call(api.association_labels.get_all, from_type, to_type, lane=ASSOCIATIONS).body)
