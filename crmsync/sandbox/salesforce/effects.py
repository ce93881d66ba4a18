"""What the platform does by itself when a record is saved, deleted or merged."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.partners import drop_mirrors, mirror_partner
from crmsync.sandbox.salesforce.permissions import check_permission_row
from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.store import Row, quote

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Actor, Draft

_NO_TRACE_WHEN_DELETED = frozenset({"OpportunityContactRole", "OpportunityPartner", "AccountPartner"})
"""Deleted directly, these leave no row behind (Object Reference: OpportunityContactRole, IsDeleted)."""
_PERMISSION_OBJECTS = frozenset(
    {"PermissionSet", "FieldPermissions", "ObjectPermissions", "PermissionSetAssignment", "User"}
)


# -------------------------------------------------------------------- before the row is written


def before_save(org: SalesforceOrg, draft: Draft) -> None:
    hook = _BEFORE.get(draft.sobject.name)
    if hook is not None:
        hook(org, draft)
    derive_name(draft.sobject, draft.values, draft.old)


def derive_name(sobject: SObject, values: Row, old: Row | None) -> None:
    """Name of people is FirstName and LastName; it cannot be set."""
    name = sobject.field("Name")
    if name is None or not sobject.has("LastName") or not {"FirstName", "LastName"} & values.keys():
        return
    whole = {**(old or {}), **values}
    values["Name"] = " ".join(part for part in (whole.get("FirstName"), whole.get("LastName")) if part) or None


def _opportunity(org: SalesforceOrg, draft: Draft) -> None:
    given, values = draft.given, draft.values
    if draft.old is not None and "Amount" in given and draft.old.get("HasOpportunityLineItem"):
        values["Amount"] = draft.old["Amount"]  # silently ignored (Object Reference: Opportunity, Amount)
    if draft.is_new or "StageName" in given:
        moved = draft.old is None or draft.old["StageName"] != values["StageName"]
        kept = given if moved else {**given, "Probability": draft.get("Probability")}
        apply_stage(org.stage(values.get("StageName")), values, keep_given=kept)
        if moved and not draft.is_new:
            values["LastStageChangeDate"] = org.stamp()
    derive_opportunity(values, draft.old)


def apply_stage(stage: Row, values: Row, keep_given: Row) -> None:
    values["IsClosed"], values["IsWon"] = stage["IsClosed"], stage["IsWon"]
    if keep_given.get("Probability") is None:
        values["Probability"] = stage["DefaultProbability"]
    if keep_given.get("ForecastCategoryName") is None:
        values["ForecastCategoryName"] = stage["ForecastCategoryName"]
    values["ForecastCategory"] = {"Best Case": "BestCase", "Commit": "Forecast"}.get(
        values["ForecastCategoryName"], values["ForecastCategoryName"]
    )


def derive_opportunity(values: Row, old: Row | None) -> None:
    """Read-only fields that follow from amount, probability and close date."""
    whole = {**(old or {}), **values}
    amount, probability = whole.get("Amount"), whole.get("Probability")
    values["ExpectedRevenue"] = None if amount is None else round(amount * (probability or 0) / 100, 2)
    if whole.get("CloseDate"):
        closes = date.fromisoformat(whole["CloseDate"])
        quarter = (closes.month + 2) // 3
        values.update(FiscalYear=closes.year, FiscalQuarter=quarter, Fiscal=f"{closes.year} {quarter}")


def _task(org: SalesforceOrg, draft: Draft) -> None:
    was_closed = bool((draft.old or {}).get("IsClosed"))
    closed = draft.get("Status") == "Completed"
    draft.values["IsClosed"], draft.values["IsHighPriority"] = int(closed), int(draft.get("Priority") == "High")
    if closed != was_closed:
        draft.values["CompletedDateTime"] = org.stamp() if closed else None
    draft.values["AccountId"] = _account_of(org, draft.get("WhatId")) or _account_of(org, draft.get("WhoId"))
    draft.values["WhatCount"], draft.values["WhoCount"] = int(bool(draft.get("WhatId"))), int(bool(draft.get("WhoId")))


def _account_of(org: SalesforceOrg, record_id: str | None) -> str | None:
    target = org.schema.of_id(record_id) if record_id else None
    if target is None or target.name == "Account":
        return record_id if target is not None else None
    if not target.has("AccountId"):
        return None
    found = org.store.scalar(f'SELECT "AccountId" FROM {quote(target.name)} WHERE "Id" = ?', (record_id,))
    return str(found) if found else None


_BEFORE = {
    "Opportunity": _opportunity,
    "Task": _task,
    "FieldPermissions": check_permission_row,
    "ObjectPermissions": check_permission_row,
    "PermissionSet": check_permission_row,
}


# -------------------------------------------------------------------- after the row is written


def after_save(org: SalesforceOrg, actor: Actor, draft: Draft) -> None:
    name = draft.sobject.name
    if name in _PERMISSION_OBJECTS:
        org.forget_access()
    if draft.is_new and name in ("Partner", "OpportunityPartner", "AccountPartner"):
        mirror_partner(org, actor, draft)
    if name == "Task" and draft.get("IsClosed") and draft.get("ActivityDate"):
        for parent in (draft.get("WhatId"), draft.get("WhoId"), draft.get("AccountId")):
            _roll_up_activity(org, parent, draft.get("ActivityDate"))
    if name == "Opportunity" and draft.is_new and draft.get("ContactId"):
        primary = {"OpportunityId": draft.get("Id"), "ContactId": draft.get("ContactId"), "IsPrimary": True}
        org.records.create(actor, org.schema.require("OpportunityContactRole"), primary)
    if name == "OpportunityLineItem":
        _roll_up_products(org, draft.get("OpportunityId"))


def _roll_up_activity(org: SalesforceOrg, record_id: str | None, day: str) -> None:
    """LastActivityDate follows closed tasks; that moves SystemModstamp, not LastModifiedDate."""
    target = org.schema.of_id(record_id) if record_id else None
    if target is None or not target.has("LastActivityDate"):
        return
    org.store.connection.execute(
        f'UPDATE {quote(target.name)} SET "LastActivityDate" = ?, "SystemModstamp" = ? '
        'WHERE "Id" = ? AND COALESCE("LastActivityDate", \'\') < ?',
        (day, org.stamp(), record_id, day),
    )


def _roll_up_products(org: SalesforceOrg, opportunity_id: str) -> None:
    opportunity = org.schema.require("Opportunity")
    sql = (
        'SELECT COUNT(*), SUM("TotalPrice"), SUM("Quantity") FROM "OpportunityLineItem" '
        'WHERE "OpportunityId" = ? AND "IsDeleted" = 0'
    )
    count, total, quantity = org.store.one(sql, (opportunity_id,)) or (0, None, None)
    values: Row = {"HasOpportunityLineItem": int(count > 0), "SystemModstamp": org.stamp()}
    if count:
        values |= {"Amount": total, "TotalOpportunityQuantity": quantity}
    derive_opportunity(values, org.store.get(opportunity, opportunity_id))
    org.store.update(opportunity, opportunity_id, values)


# -------------------------------------------------------------------- delete and merge


def delete_tree(
    org: SalesforceOrg, actor: Actor, sobject: SObject, record_id: str, *, through_parent: bool = False
) -> None:
    """Delete a record, what hangs on it, and the pointers to it of what stays."""
    for child, item in list(org.schema.children(sobject.name)):
        for child_id in _pointing(org, child, item.name, record_id):
            if item.cascades:
                delete_tree(org, actor, child, child_id, through_parent=True)
            elif item.name != "MasterRecordId":
                _repoint(org, child, item.name, child_id, None)
    if not sobject.has("IsDeleted") or (sobject.name in _NO_TRACE_WHEN_DELETED and not through_parent):
        org.store.remove(sobject, record_id)
    else:
        mark_deleted(org, actor, sobject, record_id)
    if sobject.name in _PERMISSION_OBJECTS:
        org.forget_access()
    if sobject.name == "Partner":
        drop_mirrors(org, record_id)


def mark_deleted(org: SalesforceOrg, actor: Actor, sobject: SObject, record_id: str, master: str | None = None) -> None:
    now = org.stamp()
    values: Row = {"IsDeleted": 1, "SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": actor.user_id}
    if master is not None:
        values["MasterRecordId"] = master
    org.store.update(sobject, record_id, {name: value for name, value in values.items() if sobject.has(name)})
    org.store.connection.execute("INSERT INTO _deleted VALUES (?, ?, ?)", (sobject.name, record_id, now))


def purge(org: SalesforceOrg, sobject: SObject, record_id: str) -> None:
    """Out of the recycle bin too."""
    org.store.remove(sobject, record_id)


def reparent_children(org: SalesforceOrg, sobject: SObject, loser: str, master: str) -> None:
    for child, item in list(org.schema.children(sobject.name)):
        if item.name == "MasterRecordId":
            continue
        for child_id in _pointing(org, child, item.name, loser):
            _repoint(org, child, item.name, child_id, None if child_id == master else master)


def _pointing(org: SalesforceOrg, child: SObject, field: str, record_id: str) -> list[str]:
    live = ' AND "IsDeleted" = 0' if child.has("IsDeleted") else ""
    sql = f'SELECT "Id" FROM {quote(child.name)} WHERE {quote(field)} = ?{live}'
    return [row[0] for row in org.store.all(sql, (record_id,))]


def _repoint(org: SalesforceOrg, child: SObject, field: str, child_id: str, target: str | None) -> None:
    now = org.stamp()
    values: dict[str, Any] = {field: target}
    values |= {name: now for name in ("LastModifiedDate", "SystemModstamp") if child.has(name)}
    org.store.update(child, child_id, values)
