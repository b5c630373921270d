"""Property tests are not timed: a busy machine takes a hundred times as long for a case as an idle one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("forge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("forge")
