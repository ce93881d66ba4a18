"""The partner programme's input fields, once for both CRMs, and the rule by which each CRM names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crmsync.sandbox.world.base import PRODUCTS
from crmsync.sandbox.world.involvement import TOUCH_TYPES
from crmsync.sandbox.world.partners import TIERS

FieldKind = Literal["text", "picklist", "multi", "date", "instant", "money", "reference"]

ROLES = ("sourcing", "referral", "resale", "distributor", "influence", "co_sell", "implementation", "platform")
ATTRIBUTIONS = ("sourced", "influenced", "delivered", "direct", "unattributed", "review")
MOTIONS = ("new_business", "expansion", "renewal", "cross_sell")
STATES = (
    "draft", "submitted", "under_review", "pending_approval", "returned", "on_hold", "approved", "rejected", "expired",
    "withdrawn", "revoked", "closed",
)  # fmt: skip
CLOSURES = (
    "rejected", "duplicate", "converted", "incomplete", "conflict_lost", "withdrawn", "expired", "superseded",
    "customer_choice", "policy",
)  # fmt: skip
PARTNER_TYPES = (
    "referral", "reseller", "var", "msp", "si", "distributor", "oem", "isv", "technology", "marketplace", "services",
    "affiliate", "white_label", "consultant",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InputField:
    """``name`` is the glossary's; ``to`` is the kind that a reference points to."""

    name: str
    kind: FieldKind = "text"
    options: tuple[str, ...] = ()
    to: str = ""

    @property
    def salesforce_name(self) -> str:
        stem = self.name.removesuffix("_id") if self.kind == "reference" else self.name
        words = "_".join(word.capitalize() for word in stem.split("_"))
        return f"PRM_{_SALESFORCE_EXCEPTIONS.get(self.name, words)}__c"

    @property
    def hubspot_name(self) -> str:
        return f"prm_{_HUBSPOT_EXCEPTIONS.get(self.name, self.name)}"

    @property
    def attribute(self) -> str:
        """Where the world's record keeps it."""
        if self.kind == "reference":
            return self.name.removesuffix("_id")
        return {"registration_id": "registration_number"}.get(self.name, self.name.rpartition(".")[2])

    @property
    def label(self) -> str:
        return label_of(self.name.removesuffix("_id"))


_SALESFORCE_EXCEPTIONS = {
    "registration_id": "Registration_ID",
    "partner.type": "Partner_Type",
    "partner.status": "Partner_Status",
}
_HUBSPOT_EXCEPTIONS = {"partner.type": "partner_type", "partner.status": "partner_status"}


def label_of(value: str) -> str:
    """What people see for a stored value: ``under_review`` shows as *Under Review*."""
    return value.rpartition(".")[2].replace("_", " ").title()


def _texts(*names: str) -> Iterator[InputField]:
    return (InputField(name) for name in names)


def _instants(*names: str) -> Iterator[InputField]:
    return (InputField(name, "instant") for name in names)


ACCOUNT_FIELDS = (InputField("domain_aliases"),)
"""What Salesforce's Account lacks; HubSpot's company lacks two more."""
HUBSPOT_COMPANY_FIELDS = (*ACCOUNT_FIELDS, InputField("company_number"), InputField("segment"))

PARTNER_FIELDS = (
    InputField("partner.type", "picklist", PARTNER_TYPES),
    InputField("tier", "picklist", TIERS),
    InputField("partner.status", "picklist", ("prospect", "active", "suspended", "terminated")),
    InputField("agreement_status", "picklist", ("none", "draft", "active", "expired", "terminated")),
    InputField("agreement_start", "date"),
    InputField("agreement_end", "date"),
)
DEAL_FIELDS = (
    InputField("partner_id", "reference", to="partner"),
    InputField("partner_role", "picklist", ROLES),
    InputField("registration_id"),
    InputField("attribution_override", "picklist", ATTRIBUTIONS),
    *_texts("attribution_override_by", "attribution_override_reason"),
)
REGISTRATION_FIELDS = (
    InputField("partner_id", "reference", to="partner"),
    InputField("original_partner_id", "reference", to="partner"),
    InputField("account_id", "reference", to="account"),
    *_texts("account_name", "account_domain", "account_country", "account_number", "contact_email", "contact_name"),
    InputField("deal_id", "reference", to="deal"),
    InputField("products", "multi", PRODUCTS),
    InputField("motion", "picklist", MOTIONS),
    InputField("amount", "money"),
    InputField("currency"),
    InputField("expected_close", "date"),
    *_texts("evidence", "submitted_by", "submitted_by_type", "intake_channel"),
    InputField("state", "picklist", STATES),
    InputField("closure_code", "picklist", CLOSURES),
    *_instants("submitted_at", "approved_at", "decided_at"),
    *_texts("decided_by", "decision_reason"),
    *_instants("extension_requested_at", "extension_granted_at"),
    InputField("extension_reason"),
    InputField("customer_letter_on", "date"),
)
"""All but the number, which is each CRM's key."""
TOUCH_FIELDS = (
    InputField("partner_id", "reference", to="partner"),
    InputField("deal_id", "reference", to="deal"),
    InputField("account_id", "reference", to="account"),
    InputField("type", "picklist", TOUCH_TYPES),
    *_instants("occurred_at", "logged_at"),
    InputField("source_ref"),
)
CERTIFICATION_FIELDS = (
    InputField("partner_id", "reference", to="partner"),
    InputField("contact_id", "reference", to="contact"),
    InputField("type", "picklist", ("product", "sales", "technical")),
    InputField("level"),
    InputField("status", "picklist", ("in_progress", "active", "expired", "revoked")),
    InputField("earned_on", "date"),
    InputField("expires_on", "date"),
)
