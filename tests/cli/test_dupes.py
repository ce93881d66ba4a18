"""``dupes``: look at pairs, answer them by hand and by file, learn from the answers, plan merges."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmsync.likeness import default_matchmaker
from crmsync.remote import RemoteRecord
from crmsync.store import Store
from crmsync.sync.answers import FILE, load_lines
from crmsync.sync.decide import decide_changes
from crmsync.sync.report import RunReport
from crmsync.sync.session import open_session
from tests.cli.conftest import run

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

ACCOUNTS = {
    "001A": {"Name": "Quarzwerk Hollenbach GmbH", "Website": "quarzwerk.example", "BillingCountry": "Germany",
             "Industry": "retail"},
    "001B": {"Name": "Quarzwerk Hollenbach", "Website": "www.quarzwerk.example", "BillingCountry": "Germany"},
    "001C": {"Name": "=cmd|'/c calc'!A1", "Website": "formula.example", "BillingCountry": "Germany"},
    "001D": {"Name": "=cmd|'/c calc'!A1 GmbH", "Website": "formula.example", "BillingCountry": "Germany"},
    "001E": {"Name": "Sommerfeld Optik", "Website": "sommerfeld.example", "BillingCountry": "Austria"},
}  # fmt: skip


@pytest.fixture
def mirrored(project: Path) -> Path:
    """The project with a mirror that was decided, as after a sync."""
    decide(project, ACCOUNTS)
    return project


def decide(project: Path, accounts: dict[str, dict[str, str]]) -> RunReport:
    from crmsync.project import load_project

    with open_session(load_project(project), "globex", now=NOW) as session:
        rows = [RemoteRecord(id=i, fields=fields, modified_at=NOW) for i, fields in accounts.items()]  # type: ignore[arg-type]
        session.store.save_page("Account", rows, {}, run_id="r-1")
        report = RunReport("r-1", "globex", "salesforce", "sync", NOW)
        with session.store.transaction():
            decide_changes(session, report)
    return report


def dupes(project: Path, *args: object, code: int = 0) -> Any:
    result = run("dupes", *args, "-p", project, "-c", "globex", "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)["data"]


def text(project: Path, *args: object) -> str:
    result = run("dupes", *args, "-p", project, "-c", "globex")
    assert result.exit_code == 0, result.output
    return result.stdout


def the_pair(project: Path) -> str:
    return next(str(p["id"]) for p in dupes(project, "list") if p["one"]["id"] == "001A")


def test_a_pair_is_listed_with_both_records_and_why(mirrored: Path) -> None:
    pair = next(p for p in dupes(mirrored, "list") if p["one"]["id"] == "001A")
    assert (pair["other"]["id"], pair["kind"], pair["answer"]) == ("001B", "account", None)
    assert pair["score"] > 0.9
    assert {"field": "domain", "one": "quarzwerk.example", "other": "quarzwerk.example", "same": True} in pair["fields"]
    assert any("domain" in e["text"] for e in pair["evidence"])


def test_the_list_reads_like_a_table(mirrored: Path) -> None:
    out = text(mirrored, "list")
    assert "Quarzwerk Hollenbach GmbH" in out
    assert "= domain" in out
    assert "pairs open: 2 account" in out
    assert text(mirrored) == out


@pytest.mark.parametrize(
    ("verb", "answer"), [("accept", "duplicate"), ("reject", "different"), ("related", "related"), ("skip", "skip")]
)
def test_an_answer_is_kept_in_the_project_and_not_asked_again(mirrored: Path, verb: str, answer: str) -> None:
    pair = the_pair(mirrored)
    dupes(mirrored, verb, pair, "--note", "asked Eva")
    (line,) = load_lines(mirrored / FILE)
    assert (line.pair, line.answer, line.note) == (("account", "001A", "001B"), answer, "asked Eva")
    assert line.one_name == "Quarzwerk Hollenbach GmbH"
    assert pair not in [p["id"] for p in dupes(mirrored, "list", "--all")]
    assert dupes(mirrored, "show", pair)[0]["answer"] == answer


def test_a_pair_that_the_model_never_thought_of_can_be_answered(mirrored: Path) -> None:
    dupes(mirrored, "accept", "account:001E:001A")
    assert load_lines(mirrored / FILE)[0].pair == ("account", "001A", "001E")


@pytest.mark.parametrize("name", ["d-00000000", "account:001A:001Z", "firm:1:2"])
def test_an_unknown_pair_is_named(mirrored: Path, name: str) -> None:
    result = run("dupes", "accept", name, "-p", mirrored, "-c", "globex")
    assert result.exit_code == 2
    assert name in result.output
    assert not (mirrored / FILE).exists()


def test_answers_go_by_file(mirrored: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    dupes(mirrored, "export", file)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert all(not cell.startswith("=") for row in rows for cell in row.values()), "a spreadsheet would run it"
    rows[0]["answer"] = "accept"
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert dupes(mirrored, "import", file)["new"] == 1
    assert dupes(mirrored, "import", file)["new"] == 0, "twice is once"
    assert len(dupes(mirrored, "list")) == len(rows) - 1


def test_a_mistake_in_the_file_keeps_nothing(mirrored: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("kind,one,other,answer\naccount,001A,001B,accept\naccount,001A,001C,maybe\n")
    result = run("dupes", "import", file, "-p", mirrored, "-c", "globex")
    assert (result.exit_code, "pairs.csv:3" in result.output) == (2, True)
    assert not (mirrored / FILE).exists()


def test_a_merge_plan_names_survivor_reason_and_loss(mirrored: Path, tmp_path: Path) -> None:
    assert "Nothing to merge" in text(mirrored, "merge-plan")
    dupes(mirrored, "accept", the_pair(mirrored))
    plan = dupes(mirrored, "merge-plan", "--save", tmp_path / "plan.json")
    (merge,) = plan["merges"]
    assert (merge["survivor"], merge["reason"]) == ("001A", "it has the most fields filled")
    assert (merge["losers"][0]["id"], merge["losers"][0]["answered"]) == ("001B", True)
    assert {"field": "name", "value": "Quarzwerk Hollenbach", "kept": "Quarzwerk Hollenbach GmbH"} in merge["losers"][
        0
    ]["lost"]
    assert json.loads((tmp_path / "plan.json").read_text()) == plan
    assert plan["executed_by"] == "people"
    assert "For people to carry out" in text(mirrored, "merge-plan")


def test_too_few_answers_teach_nothing(mirrored: Path) -> None:
    dupes(mirrored, "accept", the_pair(mirrored))
    trained = dupes(mirrored, "train")
    assert [t["file"] for t in trained] == ["", ""]
    assert not list((mirrored / "identity").glob("*.json"))


@pytest.fixture
def judged(project: Path) -> Path:
    """Twenty pairs, half of them the same."""
    accounts = {}
    for n in range(20):
        accounts[f"0{n:02}A"] = {
            "Name": f"Firma{n} Maschinenbau",
            "Website": f"firma{n}.example",
            "BillingCountry": "Germany",
        }
        other = {"Website": f"firma{n}.example"} if n % 2 else {"Website": f"fremd{n}.example"}
        accounts[f"0{n:02}B"] = {"Name": f"Firma{n} Maschinenbau", "BillingCountry": "Germany", **other}
    decide(project, accounts)
    for n in range(20):
        dupes(project, "accept" if n % 2 else "reject", f"account:0{n:02}A:0{n:02}B")
    return project


def test_answers_teach_the_model_which_then_compares_anew(judged: Path) -> None:
    before = default_matchmaker(judged).fingerprint
    trained = dupes(judged, "train")
    assert (trained[0]["answers"], trained[0]["file"]) == (20, "identity/account.json")
    assert default_matchmaker(judged).fingerprint != before
    decide(judged, {})
    with Store.open(next(judged.rglob("globex.db")), readonly=True) as store:
        assert store.get_meta("identity_model") == default_matchmaker(judged).fingerprint


def test_the_records_themselves_teach_where_there_are_enough(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmsync.sync.training.FEWEST_PAIRS", 10_000)
    assert "pairs of records" not in dupes(judged, "train", "--from-records")[0]["text"]
    monkeypatch.setattr("crmsync.sync.training.FEWEST_PAIRS", 1_000)
    (account, contact) = dupes(judged, "train", "--from-records")
    assert re.search(r"learned from [0-9,]+ pairs of records and 20 answers", account["text"])
    assert (contact["file"], account["file"]) == ("", "identity/account.json")
    model = default_matchmaker(judged).models["account"]
    assert 0 < model.usual["name"] < 0.01
    assert model.weights["domain.same"] > model.weights["domain.other"]


def test_an_index_of_other_keys_is_built_anew(judged: Path) -> None:
    path = next(judged.rglob("globex.db"))
    with Store.open(path) as store:
        keys = store._rows("SELECT * FROM blk ORDER BY key, no")
        store._run("DELETE FROM blk")
        store.set_meta("identity_model", "account:of-old")
    decide(judged, {})
    with Store.open(path, readonly=True) as store:
        assert store._rows("SELECT * FROM blk ORDER BY key, no") == keys


def test_the_curve_is_drawn_over_the_answers(judged: Path, tmp_path: Path) -> None:
    data = dupes(judged, "calibrate", "--out", tmp_path / "curve.html")
    (account,) = data
    assert account["kind"] == "account"
    assert account["points"][0]["right"] + account["points"][0]["wrong"] == 20
    assert "<svg" in (tmp_path / "curve.html").read_text()
    assert "account: 20 answers" in text(judged, "calibrate")


def test_without_a_store_there_is_nothing_to_look_at(project: Path) -> None:
    result = run("dupes", "list", "-p", project, "-c", "globex")
    assert (result.exit_code, "crmsync sync" in result.output) == (1, True)


def test_one_name_on_many_records_floods_nobody(project: Path) -> None:
    accounts: dict[str, dict[str, str]] = {f"001{n:03}": {"Name": "Acme Ltd"} for n in range(300)}
    odd = ("x" * 10_000, "", " ", "\U0001f98a\U0001f98a", "\u0634\u0631\u0643\u0629", "\u202eemca", "a\tb")
    accounts |= {f"002{n}": {"Name": name, "Website": name} for n, name in enumerate(odd)}
    report = decide(project, accounts)
    assert (report.matching.indexed, report.matching.compared) == (307, 0)
    assert report.matching.shared_keys > 0
    assert dupes(project, "list", "--all") == []
    with Store.open(next(project.rglob("globex.db")), readonly=True) as store:
        assert {row.code for row in store.findings()} <= {"UNREADABLE_VALUE"}
