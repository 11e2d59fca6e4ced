"""Properties are tried on the same examples each time; `HYPOTHESIS_PROFILE=search` looks for new ones."""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what a shell starts in the background would hand it on to its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
