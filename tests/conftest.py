"""What all tests share: property tests without a clock, and Ctrl-C as a terminal sends it."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# Property tests are not timed: a busy machine takes a hundred times as long for a case as an idle one.
settings.register_profile("forge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("forge")

# A shell starts what runs in the background with SIGINT ignored, which this process and its children would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
