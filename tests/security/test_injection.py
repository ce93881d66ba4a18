"""Items 13–21 of docs/security.md: values that try to be something else."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crmsync
from crmsync import log
from crmsync.cli.render import Renderer
from crmsync.connectors.files.rejects import safe_cell
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.connectors.salesforce.soql import in_chunks, is_name
from crmsync.errors import ConfigError, Permanent
from crmsync.remote import RemoteRecord
from crmsync.render import RulesDocument, Section, to_html
from crmsync.rules.expressions import ExpressionError, build_names, compile_expression
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.store import Store
from crmsync.yamlpos import load_yaml_text
from tests.connectors.scripted import Say, scripted_server
from tests.connectors.scripted import settings as connection

SOURCES = [path for path in Path(crmsync.__file__).parent.rglob("*.py") if "sandbox" not in path.parts]
HOSTILE = st.text(st.sampled_from("'\"\\%_)( -;/*\n\r\tüabXx0OR=1{}#&?\u2028\u0000"), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        running.salesforce.create_field("Account", "Key__c", "Text", length=255, external_id=True)
        running.salesforce.create("Account", {"Name": "bystander", "Key__c": "plain"})
        yield running


@pytest.fixture(scope="module")
def org(box: Sandbox) -> Iterator[SalesforceConnector]:
    auth, secrets = {"client_id": SALESFORCE_CLIENT_ID}, {"client_secret": SALESFORCE_CLIENT_SECRET}
    connector = SalesforceConnector(connection(box.url, auth=auth, secrets=secrets))
    yield connector
    connector.close()


# ---------------------------------------------------------------------- 13–15: queries and paths


@given(HOSTILE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_13_a_value_in_soql_finds_itself_and_nothing_else(box: Sandbox, org: SalesforceConnector, value: str) -> None:
    if value.strip().casefold() == "plain":
        return
    assert org.find("Account", "Key__c", [value]) == {}


def test_13_a_key_full_of_quotes_is_found(box: Sandbox, org: SalesforceConnector) -> None:
    key = "O'Neill \\' OR Name != '"
    made = box.salesforce.create("Account", {"Name": "x", "Key__c": key})
    assert org.find("Account", "Key__c", [key]) == {key: made}


@pytest.mark.parametrize("name", ["Name FROM User", "Name,Id", "Name'", "a b", "", "Näme", "Name\n", "1a"])
def test_13_an_identifier_that_is_none_never_reaches_a_query(org: SalesforceConnector, name: str) -> None:
    assert not is_name(name)
    with pytest.raises(Permanent, match=r"no object|no field"):
        org.find("Account", name, ["x"])
    with pytest.raises(Permanent, match="no object"):
        org.find(name, "Id", ["x"])


def test_13_every_value_of_a_list_is_quoted() -> None:
    (soql,) = in_chunks("SELECT Id FROM Account WHERE Name IN {}", ["a') OR ('1'='1", "b\\"])
    assert soql == "SELECT Id FROM Account WHERE Name IN ('a\\') OR (\\'1\\'=\\'1','b\\\\')"


@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_14_the_store_gives_back_whatever_text_it_was_given(tmp_path: Path, name: str, value: str) -> None:
    try:
        name.encode()
        value.encode()
    except UnicodeEncodeError:
        return
    with Store.open(tmp_path / "s.db") as store:
        store.save_page(name, [RemoteRecord(value, {value: value})], {"a": value}, run_id="r")
        assert [r.fields for r in store.rows(name, [value])] == [{value: value}]
        assert store.cursor(name) == {"a": value}
        assert "mirror" in {row[0] for row in store._rows("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("hostile", ["../../settings/v3/users", "1?archived=true", "1/associations", "%2e%2e", "1#x"])
def test_15_an_id_cannot_leave_its_place_in_a_path(hostile: str) -> None:
    with scripted_server() as crm:
        crm.reply = lambda heard: Say(404, {}) if heard.method == "GET" else Say(200, {"results": []})
        connector = HubSpotConnector(connection(crm.url, "hubspot", secrets={"token": "t"}))
        assert connector.read("companies", [hostile], ["name"]) == {}
        connector.close()
        read, single = (heard.path for heard in crm.heard)
    assert read == "/crm/v3/objects/companies/batch/read"
    assert re.fullmatch(r"/crm/v3/objects/companies/[^/?#]+\?properties=hs_object_id", single)


# ---------------------------------------------------------------------- 16–18: what people open and read


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-cmd|x", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－cmd", "＠x"]
)
def test_16_a_formula_in_a_rejects_file_is_text(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"
    assert safe_cell("-12.5") == "-12.5"
    assert safe_cell("Acme = Co") == "Acme = Co"


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("name", ["Acme\n2026-01-01 [error] all gone", "Acme\r\x1b[2K fine", "A\x9b31m", "A\u2028B"])
def test_17_a_name_cannot_forge_a_line_of_the_log(name: str, as_json: bool) -> None:
    stream = io.StringIO()
    try:
        log.setup_logging("info", stream=stream, as_json=as_json)
        structlog.get_logger().info("skipped", record=name)
    finally:
        structlog.reset_defaults()
    lines = stream.getvalue().split("\n")
    assert len(lines) == 2
    assert not lines[1]
    assert not re.search(r"[\x1b\x9b\r]", lines[0].replace("\x1b[0m", "") if as_json else lines[0])


def test_18_html_in_a_policy_is_text_in_its_page() -> None:
    evil = "<script>alert(1)</script>"
    page = to_html(RulesDocument(evil, evil, evil, (Section(evil, (f"`{evil}` and {evil}",)),)))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 5


def test_18_nothing_parses_xml() -> None:
    """Sign-in is by OAuth, never by SOAP; no answer is read as XML by crmsync itself."""
    pattern = re.compile(r"^\s*(import|from) (xml(?!\.sax\.saxutils import escape)|lxml|defusedxml)", re.MULTILINE)
    assert [path for path in SOURCES if pattern.search(path.read_text())] == []


# ---------------------------------------------------------------------- 19–21: YAML, conditions, templates

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "E108"),
        ("a: &x 1", "E108"),
        ("a: !!python/object/apply:os.system [id]", "E108"),
        ("[" * 5000 + "]" * 5000, "E108"),
        ("a: {b: " * 1 + "{c: " * 3000 + "1" + "}" * 3001, "E108"),
        ("a: 1\na: 2", "E103"),
        ("a: 1\n---\nb: 2", "E101"),
    ],
)
def test_19_yaml_is_data_and_nothing_more(text: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml_text(text)
    assert caught.value.code == code


def test_19_text_stays_text_and_a_file_has_a_size(tmp_path: Path) -> None:
    data = load_yaml_text("a: NO\nb: 12:30\nc: 0o17\nd: 1_000").data
    assert (data["a"], data["b"], data["d"]) == ("NO", "12:30", "1_000")
    from crmsync.yamlpos import MAX_BYTES, load_yaml

    path = tmp_path / "big.yaml"
    path.write_text("a: 1\n" + "#" * MAX_BYTES)
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    assert caught.value.code == "E108"


@pytest.mark.parametrize(
    "condition",
    [
        "deal.__class__ == 1",
        "().__class__.__bases__ == 1",
        "__import__('os') == 1",
        "eval('1') == 1",
        "deal.name.upper() == 'X'",
        "open('/etc/passwd') == 1",
        "lambda: 1",
        "[x for x in deal] == 1",
        " and ".join(["deal.amount > 1"] * 5000),
        "(" * 3000 + "deal.amount > 1" + ")" * 3000,
    ],
)
def test_20_a_condition_is_no_program(condition: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(condition, build_names("deal", {}), ZoneInfo("UTC"))
    assert caught.value.code.startswith("E21")


def test_20_and_21_neither_eval_nor_templates_of_other_peoples_text() -> None:
    """``str.format`` only on literals and on constants of the module; ``eval``, ``exec`` and pickles nowhere."""
    odd = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (found := _suspicious(node)):
                odd.append(f"{path.name}:{node.lineno} {found}")  # noqa: PERF401 - three levels deep
    assert odd == []


def _suspicious(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec", "compile", "__import__"}:
        return node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "format_map"}:
        owner = node.func.value
        name = ast.unparse(owner)
        is_fixed = isinstance(owner, ast.Constant | ast.JoinedStr) or name.isupper() or name in {"sql", "text"}
        return "" if is_fixed else f"{name}.format"
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"loads", "load"}:
        return ast.unparse(node.func) if ast.unparse(node.func).startswith(("pickle", "marshal", "yaml")) else ""
    return ""


def test_17_a_name_cannot_reach_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    Renderer(as_json=False, quiet=False, color=False).show("x", {}, lambda: ["Acme \x1b]0;owned\x07 \x9b2J"])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x9b" not in shown
