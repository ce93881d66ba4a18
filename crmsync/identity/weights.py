"""Weights set by hand, in bits, for a CRM that nobody has answered for yet: they ask rather than block."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULTS: Mapping[str, tuple[float, Mapping[str, float]]] = MappingProxyType(
    {
        "account": (
            -13.0,
            {
                # `same` of a counted field is a ceiling: what it says depends on how rare the value is
                "name.same": 13.0, "name.near": 7.0, "name.part": 3.0, "name.close": 3.0, "name.most": 0.0,
                "name.some": -4.0, "name.bit": -4.0, "name.other": -5.0,
                "domain.same": 12.0, "domain.label": 6.0, "domain.other": -2.5,
                "number.same": 16.0, "number.other": -10.0,
                "country.same": 1.0, "country.other": -4.0,
                "phone.same": 9.0, "phone.near": 3.0, "phone.close": 1.0, "phone.other": -1.0,
                "city.same": 5.0, "city.near": 3.0, "city.close": 1.0, "city.other": -2.0,
                "postal_code.same": 6.0, "postal_code.near": 1.0, "postal_code.other": -1.5,
                "state.same": 1.0, "state.other": -1.5,
                "street.same": 7.0, "street.near": 5.0, "street.neighbour": 3.0, "street.street": 2.0,
                "street.house": 0.5, "street.road": 0.5, "street.other": -2.0,
                "form.other": -2.0,
            },
        ),
        "contact": (
            -13.0,
            {
                "email.same": 13.0, "email.mailbox": 4.0, "email.near": 1.0, "email.close": -0.5,
                "email.other": -1.5,
                "last.same": 10.0, "last.swapped": 8.0, "last.near": 5.0, "last.close": 2.0, "last.initial": 1.0,
                "last.bit": -3.0, "last.other": -6.0,
                "first.same": 7.0, "first.swapped": 5.0, "first.near": 3.0, "first.close": 2.0, "first.initial": 2.0,
                "first.bit": -2.0, "first.other": -5.0,
                "phone.same": 9.0, "phone.near": 3.0, "phone.close": 1.0, "phone.other": -1.0,
                "account.same": 5.0, "account.other": -2.0,
                "title.same": 1.5, "title.other": -0.5,
                "born.same": 12.0, "born.near": 5.0, "born.close": 1.0, "born.other": -5.0,
                "city.same": 3.0, "city.near": 2.0, "city.close": 1.0, "city.other": -1.0,
                "postal_code.same": 4.0, "postal_code.near": 1.0, "postal_code.other": -1.0,
                "street.same": 7.0, "street.near": 5.0, "street.neighbour": 3.0, "street.street": 2.0,
                "street.house": 0.5, "street.road": 0.5, "street.other": -1.5,
                "street2.same": 4.0, "street2.near": 3.0, "street2.close": 2.0, "street2.other": -1.0,
                "state.same": 1.0, "state.other": -1.0,
            },
        ),
    }
)  # fmt: skip
"""By kind: the prior, and the weights by ``field.level``."""
