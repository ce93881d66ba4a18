"""The fingerprint: small, stable, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from crmsync.mappings import load_mapping
from crmsync.sync.fingerprint import MOST_FIELDS, build_fingerprint, digest_of, key_of, parse_fingerprint
from tests.test_docs import ROOT

DIGESTS = {key_of("PRM_A__c"): digest_of("x"), key_of("PRM_B__c"): digest_of("")}


def test_what_is_built_is_parsed() -> None:
    assert parse_fingerprint(build_fingerprint(DIGESTS)) == DIGESTS


def test_order_does_not_matter() -> None:
    assert build_fingerprint(dict(reversed(DIGESTS.items()))) == build_fingerprint(DIGESTS)


@pytest.mark.parametrize("text", [None, "", "1", "2:abcdefg", "1:abc", "1:abcdef!", "by hand"])
def test_anything_else_is_no_fingerprint(text: str | None) -> None:
    assert parse_fingerprint(text) is None


def test_the_values_of_a_field_are_told_apart() -> None:
    assert len({digest_of(str(number)) for number in range(500)}) == 500


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
def test_all_fields_of_a_record_fit_and_have_keys_of_their_own(system: str) -> None:
    mapping = load_mapping(ROOT / "config" / "mappings" / f"{system}.yaml", system=system)
    for spec in mapping.objects():
        names = list(mapping.kept_fields(spec.object))
        assert len({key_of(name) for name in names}) == len(names) <= MOST_FIELDS
        assert len(build_fingerprint({key_of(name): digest_of(name) for name in names})) <= 255
