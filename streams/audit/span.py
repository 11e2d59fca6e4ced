"""`--since`: a span before now, or a day."""

from rules import instants
from streams.sources.errors import SourceError

UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}
FIRST_DAY, LAST_DAY = 0, 8_000_000_000  # seconds since 1970 that git takes


class NoSpan(SourceError):
    """The text names no time."""


def since(text: str, now: str) -> int:
    """Seconds since 1970. `90d`, `12w`, `6m`, `2y`, `36h` before `now`, or a day `2026-01-31`. Errors: NoSpan."""
    digits, unit = text[:-1], text[-1:].lower()
    if digits.isascii() and digits.isdigit() and len(digits) < 7 and unit in UNITS:
        return max(FIRST_DAY, instants.seconds_of(now) - int(digits) * UNITS[unit])
    whole = text if "T" in text else f"{text}T00:00:00Z"
    if instants.is_instant(whole):
        return min(max(FIRST_DAY, instants.seconds_of(whole)), LAST_DAY)
    raise NoSpan(
        f"--since {text!r} is no span of time.", remedy="Write 90d, 12w, 6m, 2y or 36h, or a day like 2026-01-31."
    )
