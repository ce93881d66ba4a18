"""The whole route table. What is named by a word comes before what is named by a parameter."""

from __future__ import annotations

from crmsync.sandbox.hubspot.api import (
    account,
    associations,
    associations_v3,
    batches,
    objects,
    pipelines,
    properties,
    schemas,
)
from crmsync.sandbox.hubspot.api.http import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *batches.ENDPOINTS,
    *objects.ENDPOINTS,
    *associations.ENDPOINTS,
    *associations_v3.ENDPOINTS,
    *properties.ENDPOINTS,
    *pipelines.ENDPOINTS,
    *schemas.ENDPOINTS,
    *account.ENDPOINTS,
)
