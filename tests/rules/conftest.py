"""How many worlds the property tests make: 100, or 1,000 by night.

``HYPOTHESIS_PROFILE=nightly pytest tests/rules`` runs the thousand. A failure prints the ``@reproduce_failure`` line
that repeats it, and ``pytest --hypothesis-seed=N`` repeats a whole run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("normal", max_examples=100, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))
