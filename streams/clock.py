"""The one place that asks what time it is."""

import time

from rules import instants


def now() -> str:
    """This second, as an instant."""
    return instants.text_of(int(time.time()))
