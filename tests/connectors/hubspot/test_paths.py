"""One switch moves every call from v3/v4 to a date."""

from __future__ import annotations

import pytest

from crmsync.connectors.hubspot.paths import dated_path


@pytest.mark.parametrize(
    ("path", "dated"),
    [
        ("/crm/v3/objects/deals/batch/read", "/crm/objects/2026-09/deals/batch/read"),
        ("/crm/v3/properties/2-77/batch/create", "/crm/properties/2026-09/2-77/batch/create"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-09/deals"),
        ("/crm/v3/owners/", "/crm/owners/2026-09"),
        ("/crm/v4/associations/deals/companies/batch/read", "/crm/associations/2026-09/deals/companies/batch/read"),
        ("/crm/v4/objects/deals/7/associations/companies", "/crm/objects/2026-09/deals/7/associations/companies"),
        ("/crm-object-schemas/v3/schemas", "/crm-object-schemas/2026-09/schemas"),
        ("/oauth/v1/token", "/oauth/2026-09/token"),
        ("/account-info/v3/details", "/account-info/v3/details"),
    ],
)
def test_each_family_has_its_dated_form(path, dated):
    assert dated_path(path, "2026-09") == dated
    assert dated_path(path, "") == path
