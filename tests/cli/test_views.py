"""How plans, runs and explanations read; the exact text, because people and scripts get used to it."""

from collections.abc import Iterable
from dataclasses import replace

from crmsync.cli.render import Line, Rows
from crmsync.cli.view_plan import most_telling, plan_data, plan_lines
from crmsync.cli.view_run import report_lines, runs_table
from crmsync.cli.view_why import why_lines
from crmsync.remote import ApiBudget
from crmsync.store import JournalRow
from crmsync.sync.buckets import joint_proof
from crmsync.sync.report import Completeness, RunReport, WriteFailure
from crmsync.sync.why import Explanation, FieldStory
from tests.cli.conftest import NOW, change, plan


def text(lines: Iterable[Line]) -> str:
    shown = [row for line in lines for row in (line.lines() if isinstance(line, Rows) else [str(line)])]
    return "\n".join(line.rstrip() for line in shown)


def report(**numbers: object) -> RunReport:
    base = RunReport("r-0412", "acme", "hubspot", "sync", started_at=NOW, finished_at=NOW, status="ok")
    return replace(base, **numbers)  # type: ignore[arg-type]


MOVED = change(protection_end=("2026-12-01", "2027-01-31"), flags=(None, "EXPIRING"))


class TestPlan:
    def test_a_small_plan_shows_everything(self) -> None:
        made = plan(MOVED)
        shown = text(plan_lines(made, report(findings_opened=2, api=ApiBudget(6, 100, 94))))
        assert shown == "\n".join(
            [
                "acme   HubSpot   policy 2026.1   made 2026-11-22 06:00 UTC",
                "",
                "  ~ deal  Cancity – GTX Basic 1  (0061)",
                "      protection_end  2026-12-01 -> 2027-01-31  90 days from approval  policies/baseline.yaml:12",
                "      flags           (blank) -> EXPIRING       90 days from approval  policies/baseline.yaml:12",
                "",
                f"Plan {made.id}: 0 create, 1 update, 0 delete · 2 fields",
                "Findings: 2 would open, 0 would clear",
                "API calls: 6 used (94 left today)",
                "Not checked: HubSpot workflows",
            ]
        )

    def test_a_large_one_shows_ten_and_the_rest_by_rule(self) -> None:
        many = [change(n, protection_end=("a", "b"), synced_at=(None, "x")) for n in range(50)]
        shown = text(plan_lines(plan(*many), None))
        assert shown.count("  ~ deal") == 10
        assert "  … 40 more records (--show all)" in shown
        assert "  changes  field                rule               where" in shown
        assert "       50  deal.protection_end  protection.window  policies/baseline.yaml:12" in shown
        assert "synced_at" not in shown

    def test_show_all_is_all(self) -> None:
        shown = text(plan_lines(plan(*(change(n, a=(1, 2)) for n in range(50))), None, show=None))
        assert shown.count("  ~ deal") == 50

    def test_nothing_to_do_is_said(self) -> None:
        assert "No changes: the CRM holds what the policy says." in text(plan_lines(plan(), report()))

    def test_a_created_record_is_marked(self) -> None:
        created = replace(MOVED, op="upsert", kind="registration", id=None, key_field="prm_number", key="R-1")
        shown = text(plan_lines(plan(created), None))
        assert "  + registration  Cancity" in shown
        assert "1 create, 0 update" in shown

    def test_its_json_has_ids_and_counts(self) -> None:
        data = plan_data(plan(MOVED), None)
        assert (data["summary"], data["id"]) == ({"update": 1, "records": 1, "fields": 2}, plan(MOVED).id)


class TestRun:
    def test_a_good_one(self) -> None:
        shown = text(
            report_lines(
                report(
                    pulled={"deals": 8800, "companies": 145},
                    changed={"deals": 12},
                    decided=40,
                    written=12,
                    tasks=2,
                    findings_opened=3,
                    findings_open=5,
                    completeness=[Completeness("deals", 8800, 8800), Completeness("companies", 145, 145)],
                    api=ApiBudget(120, 1000, 880),
                )
            )
        )
        counts = "(deals 8,800 · companies 145)"
        assert shown == "\n".join(
            [
                "Run r-0412 on acme: ok",
                "  read      8,945 records, 12 changed; 40 neighbourhoods decided",
                "  written   12 records (0 created, 2 tasks)",
                "  findings  3 opened, 0 cleared, 5 open",
                f"  complete  8,945/8,945 records, 0 missing, 0 stale, 0 calls, proof {joint_proof(['', ''])} {counts}",
                "  API calls: 120 used (880 left today) · took 0.0 s",
            ]
        )

    def test_a_difference_is_named(self) -> None:
        shown = text(report_lines(report(completeness=[Completeness("deals", 10, 9), Completeness("contacts", 3, 3)])))
        assert "incomplete  deals 10 in the CRM, 9 in the mirror" in shown

    def test_a_refused_record_is_named_with_its_reason(self) -> None:
        failure = WriteFailure("deals", "7", "Acme", "failed", "INVALID_OPTION", "no such option")
        shown = text(report_lines(report(status="partial", failed=1, failures=[failure])))
        assert "0 changed by somebody meanwhile, 1 refused, 0 intake rows rejected" in shown
        assert "failed    Acme (deals 7)  INVALID_OPTION no such option" in shown

    def test_a_list_of_runs(self) -> None:
        rows = [
            {"run_id": "r-0001", "mode": "sync", "status": "ok", "started_at": "2026-11-22T06:00:00Z", "written": 3}
        ]
        head, row = runs_table(rows).lines()
        assert head.split() == [
            "run",
            "mode",
            "started",
            "took",
            "read",
            "written",
            "skip",
            "fail",
            "findings",
            "outcome",
        ]
        assert row.split()[:5] == ["r-0001", "sync", "2026-11-22", "06:00:00", "UTC"]


STORY = FieldStory(
    field="protection_end",
    remote_field="prm_protection_end",
    value="2027-01-31",
    reason="90 days from approval",
    code="WINDOW",
    rule="protection.window",
    where="policies/baseline.yaml:12",
    trace=["approved on 2026-11-02", "90 days"],
    evidence=["R-0001"],
    decided_at=NOW,
    history=[],
)


def write(**changes: object) -> JournalRow:
    names = ("ref", "op", "object", "record_id", "key_field", "key", "kind", "label", "field", "remote_field")
    given: dict[str, object] = dict.fromkeys(names, "x")
    given |= {"run_id": "r-0001", "old": None, "new": "2027-01-31", "rule": "r", "where": "p.yaml:1", "reason": "y"}
    return JournalRow(**{**given, "at": NOW, "status": "ok", **changes})  # type: ignore[arg-type]


class TestWhy:
    def test_one_field_tells_the_whole_story(self) -> None:
        story = Explanation("deal", "7", "Acme", [replace(STORY, history=[write()])], [])
        assert text(why_lines(story, in_full=True)) == "\n".join(
            [
                "deal  Acme  (7)",
                "  protection_end (prm_protection_end)   2027-01-31",
                "    because   90 days from approval   [WINDOW]",
                "    rule      protection.window, policies/baseline.yaml:12",
                "    steps     approved on 2026-11-02",
                "              90 days",
                "    evidence  R-0001",
                "    decided   2026-11-22 06:00:00 UTC",
                "    written   2026-11-22 06:00:00 UTC   run r-0001   (blank) -> 2027-01-31   p.yaml:1",
            ]
        )

    def test_a_record_is_a_line_for_each_field(self) -> None:
        story = Explanation("deal", "7", "Acme", [STORY, replace(STORY, field="flags", value=None)], [])
        shown = text(why_lines(story))
        assert "  protection_end  2027-01-31  90 days from approval  policies/baseline.yaml:12" in shown
        assert "1 more field is blank, as it should be" in shown

    def test_a_write_that_failed_says_so(self) -> None:
        story = Explanation("deal", "7", "Acme", [replace(STORY, history=[write(status=None)])], [])
        assert "unknown" in text(why_lines(story, in_full=True))


def test_a_few_changes_of_each_sort_are_shown_conflicts_first() -> None:
    direct = [change(n, attribution=(None, "direct")) for n in range(5)]
    protected = [change(n, protection_end=(None, "2027-01-01")) for n in range(10, 13)]
    contested = change(20, conflict_status=(None, "confirmed"))
    shown = most_telling([*direct, *protected, contested], 4)
    assert shown == [contested, *protected[:2], direct[0]]
    assert len(most_telling(direct, None)) == 5
