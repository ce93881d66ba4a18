"""What the CRM and the network do wrong, by the faults of the sandbox."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from unittest.mock import patch

from crmsync.connectors.wire import Wire
from tests.prove.trial import Trial

STORM_S = 180
RETRY_AFTER = {"plain": "", "zero": "0", "negative": "-1", "huge": "1000000000"}


def storm(trial: Trial) -> None:
    """Every request is refused for three minutes; each refusal may say how long to wait, sense or not."""
    end = trial.ground.bench.now + timedelta(seconds=STORM_S + trial.k)
    wait = RETRY_AFTER.get(trial.case.variant) if trial.case.variant != "date" else format_datetime(end, usegmt=True)
    trial.arm("rate_limit", times=None, retry_after=wait or "")
    with trial.ground.until(end, trial.ground.box.faults.clear):
        trial.cycle()


def run_out(trial: Trial) -> None:
    if trial.case.variant == "refused":
        trial.arm("quota", times=None)
    else:
        _leave_few_calls(trial)
    trial.cycle()
    if trial.errors and not getattr(trial.errors[-1], "hint", ""):
        trial.say.append("the stop does not say what to do")
    _leave_few_calls(trial, mended=True)
    if trial.case.variant == "low":
        trial.may_be_told()  # the run may need no more calls than there are


def _leave_few_calls(trial: Trial, *, mended: bool = False) -> None:
    """The share that the project allows is used up at the k-th request, by whomever."""
    if trial.system == "salesforce":
        org = trial.ground.box.salesforce
        org.api_calls = 0 if mended else int(org.api_limit * 0.8) - trial.k
    else:
        limits = trial.ground.box.hubspot.limits
        limits.used_today = 0 if mended else int(limits.daily * 0.8) - trial.k


def server_error(trial: Trial) -> None:
    status, _, when = trial.case.variant.partition("-")
    kind = "html" if status == "200" else "server_error"
    trial.arm(kind, status=int(status), when=when)
    trial.cycle()


def reset(trial: Trial) -> None:
    if trial.case.variant == "midway":
        trial.arm("truncate")
    else:
        trial.arm("drop", when=trial.case.variant)
    trial.cycle()


def cut_body(trial: Trial) -> None:
    trial.arm({"length": "truncate", "gzip": "garble", "fewer": "fewer"}[trial.case.variant])
    trial.cycle()
    trial.may_be_told()


def fail_partly(trial: Trial) -> None:
    match trial.case.variant:
        case "mixed":
            trial.arm("partial", seed=trial.k)
        case "as-200":
            trial.arm("partial", seed=trial.k, **({"status": 200} if trial.system == "hubspot" else {}))
        case "too-few":
            trial.arm("fewer")
        case "in-vain":
            trial.arm("silent")
    trial.cycle()
    trial.may_be_told()


def poison(trial: Trial) -> None:
    """One record that the CRM refuses for good, and with it, in HubSpot, every batch that holds it."""
    victim = next((e for e in trial.usual.written if not e.created), None)
    assert victim is not None
    trial.may_reject = True
    if trial.system == "hubspot":
        trial.ground.box.faults.add(system="hubspot", kind="poison", value=victim.id, times=None)
    else:
        trial.ground.box.salesforce.add_validation_rule(
            victim.object, lambda row: row.get("Id") == victim.id, "This record may not be saved"
        )
    report = trial.cycle()
    named = {failure.record_id for failure in report.failures} if report else set()
    if named != {victim.id}:
        trial.say.append(f"the poisoned record is {victim.id}; named were {sorted(named)}")
    if trial.system == "salesforce":
        trial.ground.box.salesforce.rules.validations.clear()
    trial.may_reject = False
    # that a rule was lifted is not described anywhere: the operator says so (`crmsync rejects retry --all`)
    with trial.ground.bench.session(trial.system) as session:
        session.store.release_rejects([row.id for row in session.store.rejects()])


def show_late(trial: Trial) -> None:
    """What was written shortly before a run is seen only by queries a minute and a half later, stamps unchanged."""
    kind = "late_rows" if trial.system == "salesforce" else "index_lag"
    trial.ground.box.faults.add(system=trial.system, kind=kind, seconds=90)
    deals = trial.people.ids("deal")
    trial.people_acted = True
    trial.people.edit("deal", deals[trial.k % len(deals)], "stage", "closed_lost")
    trial.cycle()
    trial.may_be_told()


def end_token(trial: Trial) -> None:
    match trial.case.variant:
        case "ended":
            trial.arm("sign_out")
        case "refused":
            trial.arm("unauthorized")
        case "no-new-one":
            trial.arm("sign_out")
            trial.arm("down", k=0, match="/oauth", times=None)
    trial.cycle()
    if trial.system == "salesforce" and trial.case.variant != "no-new-one" and trial.errors:
        trial.say.append(f"one fresh sign-in would have helped: {trial.errors[-1]}")


def withdraw(trial: Trial) -> None:
    if trial.case.variant == "scope":
        trial.arm("missing_scope")
    else:
        trial.arm("hide_field", object="registration", field="amount", times=8)
    trial.cycle()
    trial.may_be_told()


def change_schema(trial: Trial) -> None:
    """A field that we read or write is deleted, and comes back before the next run."""
    kind, name = ("registration", "amount") if trial.case.variant == "read-field" else ("deal", "attribution_reason")
    trial.arm("remove_field", object=kind, field=name, times=8)
    trial.cycle()
    trial.may_be_told()


def flood(trial: Trial) -> None:
    kind, options = {
        "drip": ("drip", {"seconds": 0.02}),
        "huge": ("huge", {"size": 3_000_000}),
        "bomb": ("bomb", {"size": 3_000_000}),
        "deep": ("deep", {"size": 100_000}),
    }[trial.case.variant]
    trial.arm(kind, **options)
    with patch.object(Wire, "__init__", _small(Wire.__init__)):
        trial.cycle()


def _small(real):  # type: ignore[no-untyped-def]
    """Caps a hundred times smaller than the real ones, and the real clock for the deadline."""

    def init(self, *args, **more):  # type: ignore[no-untyped-def]
        from time import monotonic

        more |= {"max_bytes": 1_000_000, "timeout_s": 0.25, "clock": monotonic}
        real(self, *args, **more)

    return init


def lure(trial: Trial) -> None:
    """Answers that lead elsewhere, or texts that mean something to somebody."""
    elsewhere = "http://169.254.169.254/latest/meta-data"
    match trial.case.variant:
        case "redirect":
            trial.arm("redirect", value=elsewhere)
        case "next-link":
            trial.arm("lure", value="http://evil.example")
        case "text":
            trial.people_acted = True
            deals = trial.people.ids("deal")
            text = '=cmd|"/c calc"!A1 \r\n{"event": "forged"} \x00\ufffe <script>'
            trial.people.edit("deal", deals[trial.k % len(deals)], "name", text)
    trial.cycle()
    trial.may_be_told()
    if any('{"event": "forged"}' in line for line in trial.ground.log.getvalue().splitlines()):
        trial.say.append("a deal's name forged a line of the log")


def partition(trial: Trial) -> None:
    """A port where nobody listens; one where the connection is taken and no word is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        if trial.case.variant == "refused":
            server.close()
        taker = threading.Thread(target=_take, args=(server,), daemon=True)
        taker.start()
        config = trial.ground.bench.directory / "crmsync.yaml"
        text = config.read_text()
        config.write_text(text.replace(trial.ground.box.url, url))
        with patch.object(Wire, "__init__", _small(Wire.__init__)):
            trial.cycle()
        config.write_text(text)
    taker.join(1)
    if not trial.errors:
        trial.say.append("nobody answered, and the run went well")


def _take(server: socket.socket) -> None:
    held = []
    with suppress(OSError):
        while True:
            held.append(server.accept()[0])
    for one in held:
        one.close()
