"""Instants as text (`2026-11-21T14:00:00Z`, UTC) and as seconds since 1970: arithmetic without a clock.

Texts of this form sort as the instants do. The calendar is Howard Hinnant's `days_from_civil` algorithm
(chrono-compatible low-level date algorithms, public domain), which the law uses because `datetime` brings a clock.
"""

from functools import lru_cache

DAY = 86_400


@lru_cache(maxsize=4096)
def is_instant(text: str) -> bool:
    """Whether this is exactly `YYYY-MM-DDTHH:MM:SSZ` of a day that exists."""
    shape = len(text) == 20 and text[4] == text[7] == "-" and text[10] == "T" and text[13] == text[16] == ":"
    if not shape or text[19] != "Z":
        return False
    digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]
    return digits.isascii() and digits.isdigit() and text_of(_seconds(text)) == text


def seconds_of(text: str) -> int:
    """Seconds since 1970. ValueError where the text is no instant."""
    if not is_instant(text):
        raise ValueError(f"{text!r} is no instant of the form 2026-11-21T14:00:00Z")
    return _seconds(text)


def _seconds(text: str) -> int:
    days = _days(int(text[:4]), int(text[5:7]), int(text[8:10]))
    return days * DAY + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])


def _days(year: int, month: int, day: int) -> int:
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def text_of(seconds: int) -> str:
    """The text of an instant between the years 1 and 9999; outside, the nearest of these."""
    days, rest = divmod(max(-62_135_596_800, min(seconds, 253_402_300_799)), DAY)
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_index = (5 * of_year + 2) // 153
    day = of_year - (153 * month_index + 2) // 5 + 1
    month = month_index + (3 if month_index < 10 else -9)
    year = year_of_era + era * 400 + (month <= 2)
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


@lru_cache(maxsize=256)
def later(text: str, seconds: int) -> str:
    """The instant so many seconds after this one."""
    return text_of(seconds_of(text) + seconds)


def between(earlier: str, after: str) -> int:
    """Seconds from one instant to another; negative where they stand the other way round."""
    return seconds_of(after) - seconds_of(earlier)
