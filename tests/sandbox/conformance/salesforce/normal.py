"""Making two Salesforce answers comparable: ids by role, instants by form, versions and counts of calls blotted out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?(?![0-9A-Za-z])")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\+0000|Z)")
VERSION = re.compile(r"/services/data/(vxx\.0|v\d\d\.0|<api_version>)")
USAGE = re.compile(r"api-usage=\d+/\d+")
HEADERS = ("location", "sforce-limit-info", "content-type")


@dataclass
class Roles:
    """Which of our ids plays the part of which recorded one."""

    ours: dict[str, str] = field(default_factory=dict)

    def translate(self, value: Any, version: str) -> Any:
        """A recorded request as our org has to be asked."""
        if isinstance(value, dict):
            return {key: self.translate(item, version) for key, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item, version) for item in value]
        if not isinstance(value, str):
            return value
        value = VERSION.sub(f"/services/data/{version}", value)
        return ID.sub(lambda match: self._role(match.group()), value)

    def _role(self, theirs: str) -> str:
        if len(theirs) == 18:
            return self.ours.get(theirs, theirs)
        return next((mine[:15] for known, mine in self.ours.items() if known[:15] == theirs), theirs)

    def learn(self, theirs: Any, ours: Any) -> None:
        """Ids in the same place play the same part."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in theirs.keys() & ours.keys():
                self.learn(theirs[key], ours[key])
        elif isinstance(theirs, list) and isinstance(ours, list):
            for one, other in zip(theirs, ours, strict=False):
                self.learn(one, other)
        elif isinstance(theirs, str) and isinstance(ours, str) and ID.fullmatch(theirs) and ID.fullmatch(ours):
            self.ours.setdefault(theirs, ours)


def blot(value: Any) -> Any:
    """What may differ from run to run, by its form only."""
    if isinstance(value, dict):
        return {key: blot(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blot(item) for item in value]
    if not isinstance(value, str):
        return value
    value = INSTANT.sub(lambda match: f"<instant{match.group(1)}>", value)
    return USAGE.sub("api-usage=<n>/<n>", VERSION.sub("/services/data/<version>", value))


def chosen(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that clients act on."""
    found = {name.lower(): blot(item) for name, item in headers.items() if name.lower() in HEADERS}
    if "content-type" in found:
        found["content-type"] = found["content-type"].lower().replace(" ", "")
    return found
