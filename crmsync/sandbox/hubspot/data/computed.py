"""Properties that the portal itself fills in, from what was written (recorded: batch create answers, task, ticket)."""

from __future__ import annotations

from decimal import Decimal
from html import escape, unescape
from re import sub

from crmsync.sandbox.hubspot.data.changes import Act
from crmsync.sandbox.hubspot.data.records import Row
from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, DEAL, LINE_ITEM, TASK, TICKET, ObjectType
from crmsync.sandbox.hubspot.definitions.pipelines import Pipelines
from crmsync.sandbox.hubspot.stamps import DAY_MS, parse_ms, wire

_BODIES = {"0-46": "hs_note_body", "0-27": "hs_task_body", "0-48": "hs_call_body", "0-47": "hs_meeting_body"}
_HOME_CURRENCY = {"USD", ""}
_RATES = {"EUR": "1.08", "GBP": "1.27", "CHF": "1.12", "JPY": "0.0067", "CAD": "0.73", "AUD": "0.66"}


def initial(kind: ObjectType, row: Row, act: Act) -> dict[str, str]:
    """Once, when the record is made. Values that were given win."""
    filled = {
        "hs_object_source": act.source_type,
        "hs_object_source_id": act.source_id,
        "hs_object_source_label": act.source_type,
    }
    if kind.id in _INITIAL:
        filled |= _INITIAL[kind.id](row, wire(act.now_ms))
    return {name: value for name, value in filled.items() if name not in row.properties}


def _contact(row: Row, _now: str) -> dict[str, str]:
    return {
        "hs_all_contact_vids": str(row.id),
        "hs_associated_target_accounts": "0",
        "hs_is_contact": "true",
        "hs_is_unworked": "true",
        "hs_pipeline": "contacts-lifecycle-pipeline",
        "hs_registered_member": "0",
        "hs_lifecyclestage_lead_date": str(row.created_ms),
        "lifecyclestage": "lead",
        "num_notes": "0",
    }


def _company(row: Row, _now: str) -> dict[str, str]:
    filled = {"hs_num_child_companies": "0", "hs_num_open_deals": "0", "hs_target_account_probability": "0.5"}
    filled |= {"hs_pipeline": "companies-lifecycle-pipeline", "lifecyclestage": "lead", "num_notes": "0"}
    domain = row.properties.get("domain")
    return {**filled, "website": domain} if domain else filled


def _deal(row: Row, _now: str) -> dict[str, str]:
    filled = {"hs_is_deal_split": "false", "hs_num_of_associated_line_items": "0", "num_associated_contacts": "0"}
    filled |= {"num_notes": "0", "num_contacted_notes": "0"}
    return {**filled, "pipeline": "default"} if "dealstage" in row.properties else filled


def _ticket(row: Row, now: str) -> dict[str, str]:
    return {"hs_ticket_id": str(row.id), "hs_helpdesk_sort_timestamp": now, "hs_last_message_from_visitor": "false"}


def _task(_row: Row, _now: str) -> dict[str, str]:
    return {
        "hs_task_family": "SALES",
        "hs_task_for_object_type": "OWNER",
        "hs_task_is_all_day": "false",
        "hs_task_priority": "NONE",
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
    }


_INITIAL = {CONTACT: _contact, COMPANY: _company, DEAL: _deal, TICKET: _ticket, TASK: _task}


def derived(kind: ObjectType, row: Row, pipelines: Pipelines, now_ms: int) -> dict[str, str]:
    """Again after every write."""
    if kind.id == DEAL:
        return _deal_figures(row, pipelines)
    if kind.id == CONTACT:
        return _contact_names(row)
    if kind.id == TASK:
        return {**_preview(kind, row), **_task_state(row, now_ms)}
    if kind.id == LINE_ITEM:
        return _net_price(row)
    return _preview(kind, row) if kind.is_engagement else {}


def _net_price(row: Row) -> dict[str, str]:
    price, quantity = (Decimal(row.properties.get(name) or 0) for name in ("price", "quantity"))
    return {"amount": _plain((price - Decimal(row.properties.get("discount") or 0)) * quantity)}


def _contact_names(row: Row) -> dict[str, str]:
    values = row.properties
    email = values.get("email", "")
    name = " ".join(filter(None, (values.get("firstname"), values.get("lastname")))) or email
    filled = {"hs_email_domain": email.rpartition("@")[2], "hs_full_name_or_email": name}
    return {key: value for key, value in filled.items() if value}


def _deal_figures(row: Row, pipelines: Pipelines) -> dict[str, str]:
    values = row.properties
    found = pipelines.find_stage("0-3", values.get("dealstage", ""))
    probability = Decimal(found[1]["metadata"]["probability"]) if found else Decimal(0)
    closed = bool(found) and probability in {0, 1}
    figures = {
        "hs_deal_stage_probability_shadow": str(probability),
        "hs_deal_stage_probability": str(probability),
        "hs_is_closed": str(closed).lower(),
        "hs_is_closed_won": str(closed and probability == 1).lower(),
        "hs_is_closed_lost": str(closed and probability == 0).lower(),
        "days_to_close": str(_days_to_close(row)),
    }
    return {**figures, **_amounts(values, probability, won=closed and probability == 1)}


def _days_to_close(row: Row) -> int:
    closedate = row.properties.get("closedate")
    return max(0, (parse_ms(closedate) - row.created_ms) // DAY_MS) if closedate else 0


def _amounts(values: dict[str, str], probability: Decimal, *, won: bool) -> dict[str, str]:
    amount = Decimal(values.get("amount") or 0)
    currency = values.get("deal_currency_code", "")
    home = amount if currency in _HOME_CURRENCY else amount * Decimal(_RATES.get(currency, "1"))
    figures = {
        "hs_projected_amount": amount * probability,
        "hs_projected_amount_in_home_currency": home * probability,
        "hs_closed_amount": amount if won else Decimal(0),
        "hs_closed_amount_in_home_currency": home if won else Decimal(0),
    }
    if values.get("amount"):
        figures["amount_in_home_currency"] = home
    return {name: _plain(figure) for name, figure in figures.items()}


def _plain(figure: Decimal) -> str:
    return format(figure.normalize(), "f") if figure else "0"


def _preview(kind: ObjectType, row: Row) -> dict[str, str]:
    body = row.properties.get(_BODIES.get(kind.id, ""))
    if not body:
        return {}
    text = unescape(sub(r"<[^>]*>", " ", body)).strip()
    html = body if "<" in body else escape(body, quote=False)
    return {
        "hs_body_preview": text[:512],
        "hs_body_preview_html": f"<html>\n <head></head>\n <body>\n {html}\n </body>\n</html>",
        "hs_body_preview_is_truncated": str(len(text) > 512).lower(),
    }


_WAYS = ("CALL", "EMAIL", "LINKED_IN", "SEQUENCE")


def _task_state(row: Row, now_ms: int) -> dict[str, str]:
    values = row.properties
    done = values.get("hs_task_status") == "COMPLETED"
    due = values.get("hs_timestamp")
    missed = bool(due) and parse_ms(str(due)) < now_ms
    state = {
        "hs_task_completion_count": str(int(done)),
        "hs_task_is_completed": str(int(done)),
        **{
            f"hs_task_is_completed_{way.lower()}": str(int(done and values.get("hs_task_type") == way)) for way in _WAYS
        },
        "hs_task_is_overdue": str(missed and not done).lower(),
        "hs_task_is_past_due_date": str(missed).lower(),
        "hs_task_missed_due_date": str(missed).lower(),
        "hs_task_missed_due_date_count": str(int(missed)),
    }
    if done and "hs_task_completion_date" not in values:
        state["hs_task_completion_date"] = wire(now_ms)
    return state
