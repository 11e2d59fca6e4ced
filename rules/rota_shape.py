"""Rotations, overrides and working hours as `twohand.toml` writes them (DESIGN 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rules import instants
from rules.rotations import TURNS, WEEKLY, Override, Rotation
from rules.shape import Entry, ListOf, OneOf, Table, Text
from rules.zones import Hours

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NONE: Final[list[str]] = []


def _wall(text: str) -> int:
    """Seconds of the wall clock since its 1970."""
    if instants.is_instant(text + ":00Z"):
        return instants.seconds_of(text + ":00Z")
    raise ValueError("must be a local time such as 2026-12-24T08:00")


def _minute(text: str) -> int:
    if instants.is_instant(f"2000-01-01T{text}:00Z"):
        return instants.seconds_of(f"2000-01-01T{text}:00Z") % instants.DAY
    raise ValueError("must be a time of day from 00:00 to 23:59")


def _end(text: str) -> int:
    return instants.DAY if text == "24:00" else _minute(text)


def _day(text: str) -> int:
    if instants.is_instant(text + "T00:00:00Z"):
        return instants.seconds_of(text + "T00:00:00Z") // instants.DAY
    raise ValueError("must be a day such as 2026-01-05")


def _zone(text: str) -> str:
    plain = text.replace("/", "").replace("_", "").replace("-", "").replace("+", "")
    if 0 < len(text) <= 64 and text.isascii() and plain.isalnum() and text[0].isalpha():
        return text
    raise ValueError("must be the name of a time zone such as Europe/Berlin or UTC")


WALL: Final = Text("a local time such as 2026-12-24T08:00", _wall, r"^\d{4}-\d\d-\d\dT\d\d:\d\d$", empty=0)
MINUTE: Final = Text("a time of day such as 09:00", _minute, r"^\d\d:\d\d$", empty=0)
END: Final = Text("a time of day such as 17:00, at most 24:00", _end, r"^\d\d:\d\d$", empty=0)
DAY: Final = Text("a day such as 2026-01-05", _day, r"^\d{4}-\d\d-\d\d$", empty=0)
ZONE: Final = Text("the name of a time zone", _zone, r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$", empty="UTC")


def rotation_table(name: Text) -> Table:
    """`name` is the shape of a person's name."""
    override = Table(
        {
            "person": Entry(name, "Who is on call instead."),
            "from": Entry(WALL, "When it begins, on the wall clock of the rotation's zone."),
            "until": Entry(WALL, "When it ends."),
        }
    )
    return Table(
        {
            "people": Entry(
                ListOf(name, least=1, unique=False), "Who is on call, in turn; by weekday: seven names from Monday on."
            ),
            "turn": Entry(OneOf(TURNS), "When the next one takes over: every day, every week, or by weekday.", WEEKLY),
            "zone": Entry(ZONE, "The time zone that handovers and overrides are meant in.", "UTC"),
            "handover": Entry(MINUTE, "The time of day at which the next one takes over.", "09:00"),
            "start": Entry(DAY, "The day on which the first of the people took over.", "2024-01-01"),
            "override": Entry(
                ListOf(override, unique=False), "Who stands in, and when; of several the last one stands.", _NONE
            ),
        }
    )


HOURS: Final = Table(
    {
        "days": Entry(ListOf(OneOf(DAYS)), "Working days; empty: pages of low severity go out at any hour.", _NONE),
        "from": Entry(MINUTE, "When work begins.", "09:00"),
        "until": Entry(END, "When it ends.", "17:00"),
        "zone": Entry(ZONE, "The time zone that is meant.", "UTC"),
    }
)


def rotation_of(fields: Mapping[str, Any]) -> Rotation:
    """The value of one table that `rotation_table` read."""
    overrides = (Override(row["person"], row["from"], row["until"]) for row in fields["override"])
    plain = {name: fields[name] for name in ("people", "turn", "zone", "handover", "start")}
    return Rotation(**plain, overrides=tuple(overrides))


def hours_of(fields: Mapping[str, Any]) -> Hours | None:
    """The value of the table that `HOURS` read; None where no day is named."""
    days = tuple(sorted(DAYS.index(day) for day in fields["days"] if day))
    return Hours(days, fields["from"], fields["until"], fields["zone"]) if days else None


def rotation_data(rotation: Rotation) -> dict[str, Any]:
    """As a file would have it."""
    return {
        "people": list(rotation.people), "turn": rotation.turn, "zone": rotation.zone,
        "handover": _minute_text(rotation.handover), "start": instants.text_of(rotation.start * instants.DAY)[:10],
        "override": [
            {"person": row.person, "from": _wall_text(row.start), "until": _wall_text(row.end)}
            for row in rotation.overrides
        ],
    }  # fmt: skip


def hours_data(hours: Hours | None) -> dict[str, Any]:
    """As a file would have it."""
    shown = hours or Hours((), 9 * 3600, 17 * 3600)
    return {
        "days": [DAYS[day] for day in shown.days], "from": _minute_text(shown.start), "until": _minute_text(shown.end),
        "zone": shown.zone,
    }  # fmt: skip


def _minute_text(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def _wall_text(seconds: int) -> str:
    return instants.text_of(seconds)[:16]
