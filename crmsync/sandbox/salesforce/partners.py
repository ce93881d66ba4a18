"""Partner rows and their shadows: one Partner makes rows in both directions in OpportunityPartner and AccountPartner.

Object Reference, Partner and AccountPartner: with an OpportunityId there are two OpportunityPartner rows and two
AccountPartner rows against the opportunity's account; with an AccountFromId two AccountPartner rows. Readers count
double unless they filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.store import Row, quote

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Actor, Draft

_SHADOWS = ("OpportunityPartner", "AccountPartner")


def mirror_partner(org: SalesforceOrg, actor: Actor, draft: Draft) -> None:
    row = draft.values
    if draft.sobject.name == "Partner" and bool(row.get("OpportunityId")) == bool(row.get("AccountFromId")):
        message = "Specify either OpportunityId or AccountFromId, and not both"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["OpportunityId", "AccountFromId"])
    opportunity = row.get("OpportunityId")
    if opportunity and row.get("IsPrimary"):
        _clear_other_primaries(org, opportunity, row["Id"])
    if draft.sobject.name == "AccountPartner":
        return
    own_account = row.get("AccountFromId") or _opportunity_account(org, opportunity)
    if opportunity and draft.sobject.name == "Partner":
        _pair(org, actor, "OpportunityPartner", row, own_account, opportunity)
    if own_account:
        _pair(org, actor, "AccountPartner", row, own_account, opportunity)


def _opportunity_account(org: SalesforceOrg, opportunity: str | None) -> str | None:
    account = org.store.scalar('SELECT "AccountId" FROM "Opportunity" WHERE "Id" = ?', (opportunity,))
    return str(account) if account else None


def _pair(org: SalesforceOrg, actor: Actor, name: str, row: Row, own: str | None, opportunity: str | None) -> None:
    """The forward row to the partner and, where there is an own account, the reverse row with the reverse role."""
    sobject = org.schema.require(name)
    forward, reverse = org.store.next_id("00I"), org.store.next_id("00I")
    now = org.stamp()
    base = {
        "IsPrimary": 0, "CreatedDate": now, "CreatedById": actor.user_id, "LastModifiedDate": now,
        "LastModifiedById": actor.user_id, "SystemModstamp": now, "IsDeleted": 0, "OpportunityId": opportunity,
    }  # fmt: skip
    to, back = {"AccountToId": row["AccountToId"]}, {"AccountToId": own}
    if name == "AccountPartner":
        to, back = to | {"AccountFromId": own}, back | {"AccountFromId": row["AccountToId"]}
    rows = [{**base, **to, "Id": forward, "Role": row.get("Role"), "IsPrimary": row.get("IsPrimary") or 0}]
    if own:
        rows[0]["ReversePartnerId"] = reverse
        rows.append(
            {**base, **back, "Id": reverse, "Role": reverse_role(org, row.get("Role")), "ReversePartnerId": forward}
        )
    for item in rows:
        org.store.insert(sobject, [item])
    org.store.save_setting(f"{row['Id']}.{name}", [item["Id"] for item in rows])


def reverse_role(org: SalesforceOrg, role: str | None) -> str | None:
    found = org.store.scalar('SELECT "ReverseRole" FROM "PartnerRole" WHERE "MasterLabel" = ?', (role,))
    return str(found) if found else None


def _clear_other_primaries(org: SalesforceOrg, opportunity: str, keep: str) -> None:
    for name in ("Partner", "OpportunityPartner"):
        org.store.connection.execute(
            f'UPDATE {quote(name)} SET "IsPrimary" = 0, "SystemModstamp" = ? '
            'WHERE "OpportunityId" = ? AND "IsPrimary" = 1 AND "Id" <> ?',
            (org.stamp(), opportunity, keep),
        )


def drop_mirrors(org: SalesforceOrg, partner_id: str) -> None:
    for name in _SHADOWS:
        for record_id in org.store.setting(f"{partner_id}.{name}") or ():
            org.store.remove(org.schema.require(name), record_id)
