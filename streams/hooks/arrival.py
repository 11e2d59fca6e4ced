"""Where a push meets the gate: what is not guarded passes at once; for the rest git works while the law is imported."""

import os
import sys

from streams.hooks.entry import Called
from streams.hooks.unguarded import unguarded


def run(called: Called) -> int:
    """pre-receive and post-receive. 0: git may move the refs."""
    lines = tuple(sys.stdin.buffer)
    if unguarded(os.environ.get("GIT_DIR") or ".", called.settings, lines):
        return 0
    return _landed(called, lines) if called.name == "post-receive" else _received(called, lines)


def _received(called: Called, lines: tuple[bytes, ...]) -> int:
    from streams.hooks import ahead  # noqa: PLC0415 - what git needs

    arrived = ahead.arrived(lines)
    from streams.hooks import receive  # noqa: PLC0415 - the whole law

    return receive.run(called, arrived)


def _landed(called: Called, lines: tuple[bytes, ...]) -> int:
    from streams.hooks import landed  # noqa: PLC0415

    return landed.run(called, lines)
