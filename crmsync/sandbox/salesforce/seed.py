"""A new org: profiles, two users, stages, partner roles, currencies. No business data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmsync.sandbox import credentials
from crmsync.sandbox.salesforce.catalog import CURRENCIES, standard_objects
from crmsync.sandbox.salesforce.schema import build_object
from crmsync.sandbox.salesforce.store import Row

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.loading import Loading

ADMIN_PROFILE = "System Administrator"
STANDARD_PROFILE = "Standard User"
INTEGRATION_PROFILE = "Integration"

# (stage, probability, forecast category, closed, won): the stages and percentages of a new org.
STAGES = (
    ("Prospecting", 10, "Pipeline", 0, 0),
    ("Qualification", 10, "Pipeline", 0, 0),
    ("Needs Analysis", 20, "Pipeline", 0, 0),
    ("Value Proposition", 50, "Pipeline", 0, 0),
    ("Id. Decision Makers", 60, "Pipeline", 0, 0),
    ("Perception Analysis", 70, "Pipeline", 0, 0),
    ("Proposal/Price Quote", 75, "Pipeline", 0, 0),
    ("Negotiation/Review", 90, "Pipeline", 0, 0),
    ("Closed Won", 100, "Closed", 1, 1),
    ("Closed Lost", 0, "Omitted", 1, 0),
)
_REVERSE_ROLES = {
    "Advertiser": "Agency",
    "Agency": "Advertiser",
    "Broker": "Broker",
    "Consultant": "Consultant",
    "Dealer": "Distributor",
    "Developer": "Developer",
    "Distributor": "Dealer",
    "Institution": "Lender",
    "Lender": "Institution",
    "System Integrator": "System Integrator",
    "VAR/Reseller": "VAR/Reseller",
}
_RATES = dict(zip(CURRENCIES, (1.0, 0.92, 0.79, 0.88, 10.4, 149.0, 1.52, 1.36), strict=True))
_ADMIN_FLAGS = (
    "ApiEnabled",
    "ViewAllData",
    "ModifyAllData",
    "ViewSetup",
    "CustomizeApplication",
    "ManageUsers",
    "AssignPermissionSets",
    "ManageProfilesPermissionsets",
    "ModifyMetadata",
)
_INTEGRATION_FLAGS = tuple(flag for flag in _ADMIN_FLAGS if flag not in ("ViewAllData", "ModifyAllData"))


def create_standard_objects(org: Loading) -> None:
    for spec, fields in standard_objects():
        sobject = build_object(spec, fields)
        org.store.create_table(sobject)
        org.store.save_object(sobject, None)
        for item in sobject.fields.values():
            org.store.save_field(sobject, item)
        org.schema.add_object(sobject)
    org.name_everything()


def plant(org: Loading) -> None:
    """The rows that every org has."""
    _organization(org)
    profiles = {
        ADMIN_PROFILE: _profile(org, ADMIN_PROFILE, _ADMIN_FLAGS),
        STANDARD_PROFILE: _profile(org, STANDARD_PROFILE, ("ApiEnabled",)),
        INTEGRATION_PROFILE: _profile(org, INTEGRATION_PROFILE, _INTEGRATION_FLAGS),
    }
    org.insert_rows("User", [
        user_row("Integration", "User", credentials.SALESFORCE_USERNAME, profiles[INTEGRATION_PROFILE]),
        user_row("System", "Admin", credentials.SALESFORCE_ADMIN_USERNAME, profiles[ADMIN_PROFILE]),
    ])  # fmt: skip
    for order, (name, probability, category, closed, won) in enumerate(STAGES, 1):
        org.insert_rows("OpportunityStage", [stage_row(name, probability, category, closed, won, order)])
    org.insert_rows("PartnerRole", [
        {"MasterLabel": role, "ApiName": role, "ReverseRole": reverse, "SortOrder": order}
        for order, (role, reverse) in enumerate(_REVERSE_ROLES.items(), 1)
    ])  # fmt: skip
    org.insert_rows("CurrencyType", [
        {"IsoCode": code, "ConversionRate": rate, "DecimalPlaces": 0 if code == "JPY" else 2, "IsActive": True,
         "IsCorporate": code == CURRENCIES[0]}
        for code, rate in _RATES.items()
    ])  # fmt: skip


def _organization(org: Loading) -> None:
    org.insert_rows("Organization", [{
        "Name": "Sandbox Company", "Country": "US", "PrimaryContact": "System Admin", "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US", "FiscalYearStartMonth": 1,
        "OrganizationType": "Enterprise Edition", "InstanceName": "SBX1", "IsSandbox": True, "IsReadOnly": False,
    }])  # fmt: skip


def _profile(org: Loading, name: str, flags: tuple[str, ...]) -> str:
    [profile] = org.insert_rows("Profile", [{"Name": name, "UserType": "Standard"}])
    own: Row = {
        "Name": f"X00e{profile[3:15]}",
        "Label": profile[:15],
        "ProfileId": profile,
        "IsOwnedByProfile": True,
        "Type": "Profile",
    }
    org.insert_rows("PermissionSet", [own | {f"Permissions{flag}": True for flag in flags}])
    return profile


def user_row(
    first: str, last: str, username: str, profile: str, email: str | None = None, *, active: bool = True
) -> Row:
    return {
        "FirstName": first,
        "LastName": last,
        "Username": username,
        "Email": email or username,
        "ProfileId": profile,
        "Alias": (first[:1] + last)[:8].lower(),
        "CommunityNickname": username.partition("@")[0][:40],
        "IsActive": active,
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "UserType": "Standard",
        "DefaultCurrencyIsoCode": CURRENCIES[0],
    }


def stage_row(name: str, probability: float, category: str, closed: Any, won: Any, order: int) -> Row:
    return {
        "MasterLabel": name,
        "ApiName": name,
        "IsActive": True,
        "SortOrder": order,
        "IsClosed": bool(closed),
        "IsWon": bool(won),
        "ForecastCategory": category.replace(" ", ""),
        "ForecastCategoryName": category,
        "DefaultProbability": probability,
    }
