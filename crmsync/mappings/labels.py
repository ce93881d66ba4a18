"""What sellers read beside the fields that crmsync makes: labels, and one sentence of help each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("deal", "registration_id"): "Registration ID",
        ("deal", "last_registration_id"): "Last Registration ID",
        ("deal", "synced_at"): "Partner Facts Synced At",
        ("deal", "flags"): "Partner Flags",
        ("account", "last_contact_on"): "When our own people were last in touch with the company.",
        ("account", "flags"): "Partner Flags",
        ("contact", "flags"): "Partner Flags",
        ("partner", "type"): "Partner Type",
        ("partner", "status"): "Partner Status",
        ("registration", "sla_due_at"): "Answer Due At",
        ("deal", "partner_cert_status"): "Partner Certification Status",
        ("partner", "cert_status"): "Certification Status",
    }
)
"""Where title case of the canonical name is not what a seller would say."""

OBJECT_LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "registration": ("Registration", "Registrations"),
        "touch": ("Partner Touch", "Partner Touches"),
        "certification": ("Partner Certification", "Partner Certifications"),
    }
)

FINGERPRINT_LABEL = "Partner Facts Fingerprint"
FINGERPRINT_HELP = "For crmsync alone: what it last wrote here, so that it never takes your edit for its own."

HELP: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("account", "domain_aliases"): "Other web domains of this company, separated by semicolons.",
        ("account", "company_number"): "The company's DUNS or register number.",
        ("account", "segment"): "The market segment of this company.",
        ("account", "last_contact_on"): "When our own people were last in touch with this company.",
        ("account", "flags"): "What needs a look about this company; each flag goes away when its cause does.",
        ("contact", "flags"): "What needs a look about this contact; each flag goes away when its cause does.",
        ("deal", "lead_source"): "Where this deal came from.",
        ("deal", "is_tender"): "Whether the customer buys by public tender.",
        ("deal", "tender_published_on"): "The day the tender was published.",
        ("deal", "partner_id"): "The partner of record on this deal.",
        ("deal", "partner_name"): "The name of the partner of record.",
        ("deal", "partner_type"): "What kind of partner it is.",
        ("deal", "partner_role"): "What the partner does on this deal.",
        ("deal", "registration_id"): "The number of the registration that this deal stands on.",
        ("deal", "registration_status"): "How far that registration has come.",
        ("deal", "protection_start"): "First day on which the partner is protected.",
        ("deal", "protection_end"): "Last day on which the partner is protected.",
        ("deal", "protection_status"): "Whether the partner is protected on this deal today.",
        ("deal", "attribution"): "Whether a partner sourced or influenced this deal, or none did.",
        ("deal", "attribution_reason"): "Why the attribution is what it is, in one sentence.",
        ("deal", "attribution_override"): "Set this to decide the attribution by hand.",
        ("deal", "attribution_override_by"): "Who decided the attribution by hand.",
        ("deal", "attribution_override_reason"): "Why the attribution was decided by hand.",
        ("deal", "influencing_partners"): "Partners whose activities count on this deal.",
        ("deal", "incumbent_partner"): "The partner of record on this customer's last won deal.",
        ("deal", "conflict_status"): "Whether more than one partner claims this deal.",
        ("deal", "partner_cert_status"): "Whether the partner is certified for what is sold.",
        ("deal", "products"): "What is sold, separated by semicolons.",
        ("deal", "lost_reason"): "Why the deal was lost.",
        ("deal", "flags"): "What needs a look on this deal; each flag goes away when its cause does.",
        ("deal", "next_action"): "What should happen next because of the partner programme.",
        ("deal", "last_registration_id"): "The number of the last registration, kept after it ended.",
        ("deal", "credit_split"): "Shares that were agreed on, each as partner: percent.",
        ("deal", "locked_amount"): "The amount when the deal was won; later changes are adjustments.",
        ("deal", "locked_on"): "When the partner credit of this deal was fixed.",
        ("deal", "adjusted_on"): "When the amount last changed after the deal was won.",
        ("deal", "policy_version"): "The version of the partner policy that decided these fields.",
        ("deal", "synced_at"): "When these fields last changed.",
        ("partner", "type"): "What kind of partner this company is.",
        ("partner", "tier"): "The partner's tier in the programme.",
        ("partner", "status"): "Where the partnership stands.",
        ("partner", "agreement_status"): "Where the partner agreement stands.",
        ("partner", "agreement_start"): "First day of the partner agreement.",
        ("partner", "agreement_end"): "Last day of the partner agreement.",
        ("partner", "regions"): "The countries in which the partner may sell.",
        ("partner", "cert_status"): "Whether the partner's certifications are valid.",
        ("partner", "partner_flags"): "What needs a look about this partner.",
        ("registration", "number"): "The number that partners and sellers quote.",
        ("registration", "partner_id"): "The partner who registered the deal.",
        ("registration", "original_partner_id"): "The partner who registered it, before a merger of partners.",
        ("registration", "account_id"): "The end customer.",
        ("registration", "account_name"): "The end customer's name as the partner gave it.",
        ("registration", "account_domain"): "The end customer's web domain as the partner gave it.",
        ("registration", "account_country"): "The end customer's country as the partner gave it.",
        ("registration", "account_number"): "The end customer's company number as the partner gave it.",
        ("registration", "contact_email"): "The e-mail address of the person at the end customer.",
        ("registration", "contact_name"): "The person at the end customer.",
        ("registration", "deal_id"): "The deal that came of this registration.",
        ("registration", "products"): "What the partner wants to sell.",
        ("registration", "motion"): "New business, expansion, renewal or cross-sell.",
        ("registration", "amount"): "What the partner expects the deal to be worth.",
        ("registration", "currency"): "The currency of that amount.",
        ("registration", "expected_close"): "When the partner expects to close.",
        ("registration", "evidence"): "What shows that the partner works with the customer.",
        ("registration", "submitted_by"): "Who sent the registration.",
        ("registration", "submitted_by_type"): "Whether a partner or one of our people sent it.",
        ("registration", "intake_channel"): "How the registration reached us.",
        ("registration", "state"): "How far the registration has come.",
        ("registration", "closure_code"): "Why the registration was closed.",
        ("registration", "submitted_at"): "When the registration was sent.",
        ("registration", "approved_at"): "When the registration was approved.",
        ("registration", "decided_at"): "When the registration was decided.",
        ("registration", "decided_by"): "Who decided the registration.",
        ("registration", "decision_reason"): "Why it was decided so.",
        ("registration", "extension_requested_at"): "When the partner asked for more time.",
        ("registration", "extension_granted_at"): "When more time was granted.",
        ("registration", "extension_reason"): "Why the partner needs more time.",
        ("registration", "customer_letter_on"): "The date of the customer's letter naming this partner.",
        ("registration", "status"): "How far the partner is, in the programme's own word.",
        ("registration", "status_changed_at"): "When that status last changed.",
        ("registration", "conditional_at"): "When the registration was accepted on conditions.",
        ("registration", "returned_at"): "When it was returned to the partner for more facts.",
        ("registration", "resubmitted_at"): "When the partner sent it again.",
        ("registration", "open_to_others_on"): "Since when the customer wants offers of other partners too.",
        ("registration", "extension_count"): "How many extensions were granted so far.",
        ("registration", "project"): "The project, as the partner names it.",
        ("registration", "site"): "The customer's site that it is about.",
        ("registration", "division"): "The customer's division that it is about.",
        ("registration", "units"): "How many units the partner expects to sell.",
        ("registration", "contract_signed_on"): "When the customer signed.",
        ("registration", "contract_months"): "How many months the contract runs.",
        ("registration", "is_perpetual"): "Whether the contract has no end.",
        ("registration", "discount_factor"): "The share of the programme's terms that this registration gets.",
        ("registration", "fx_rate"): "The exchange rate to the corporate currency in the month of submission.",
        ("registration", "sla_due_at"): "When the partner must have an answer.",
        ("registration", "protection_start"): "First day on which the partner is protected.",
        ("registration", "protection_end"): "Last day on which the partner is protected.",
        ("registration", "protection_status"): "Whether the registration protects the partner today.",
        ("registration", "conflict_status"): "Whether another partner claims the same business.",
        ("registration", "blocked_by"): "The number of the registration that holds this one.",
        ("registration", "conflict_decision"): "What was decided about the conflict over it.",
        ("registration", "conflict_since"): "When the conflict over it began.",
        ("registration", "conflict_level"): "The level at which the conflict is decided.",
        ("registration", "conflict_due_at"): "When that level must have decided.",
        ("registration", "flags"): "What needs a look; each flag goes away when its cause does.",
        ("registration", "next_action"): "What should happen next with this registration.",
        ("registration", "policy_version"): "The version of the partner policy that decided these fields.",
        ("registration", "synced_at"): "When these fields last changed.",
        ("touch", "key"): "Makes a touch that came from a file unique.",
        ("touch", "name"): "What happened, in a few words.",
        ("touch", "partner_id"): "The partner who was active.",
        ("touch", "deal_id"): "The deal it was about.",
        ("touch", "account_id"): "The company it was about.",
        ("touch", "type"): "What the partner did.",
        ("touch", "occurred_at"): "When it happened.",
        ("touch", "logged_at"): "When it was entered.",
        ("touch", "source_ref"): "Where the evidence can be found.",
        ("certification", "name"): "What the certificate is called.",
        ("certification", "partner_id"): "The partner who holds the certificate.",
        ("certification", "contact_id"): "The person who passed the exam.",
        ("certification", "type"): "Whether it is about a product, selling or technology.",
        ("certification", "level"): "The level of the certificate.",
        ("certification", "status"): "Whether the certificate is valid.",
        ("certification", "earned_on"): "The day the certificate was earned.",
        ("certification", "expires_on"): "The last day on which the certificate is valid.",
    }
)

TASK_KEY_LABEL = "Partner Task Key"
TASK_KEY_HELP = "Tells crmsync which of its tasks this is, so that none is made twice."


def label_of(kind: str, field: str) -> str:
    """What sellers read beside the field: ``Protection End``."""
    return LABELS.get((kind, field)) or title_case(field.removesuffix("_id"))


def title_case(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_"))
