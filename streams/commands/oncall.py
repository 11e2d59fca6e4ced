"""`twohand oncall [ROTATION]`: who is on call, until when, and why."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands import options
from streams.commands.options import HERE, Paged
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from rules.policy import Policy
    from rules.rotations import Rotation
    from streams.desk import Desk

Name = Annotated[str, typer.Argument(metavar="[ROTATION]", help="One rotation of the policy; default: all of them.")]
At = Annotated[
    str, typer.Option("--at", metavar="INSTANT", help="At 2026-12-24T18:00:00Z instead of now.", show_default=False)
]


class NoRotation(SourceError):
    """The policy has no such rotation."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="oncall")(oncall)


def oncall(
    rotation: Name = "", *, at: At = "", where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Say who is on call, until when, and why.

    Rotations stand in the policy of the default branch, under [rotations.NAME].
    """
    from rules import instants  # noqa: PLC0415 - other commands need none of it
    from streams import clock  # noqa: PLC0415
    from streams.desk import Desk  # noqa: PLC0415

    moment = at or clock.now()
    if not instants.is_instant(moment):
        raise NoRotation(f"--at {at!r} is no instant.", remedy="Write it as 2026-12-24T18:00:00Z.")
    with Desk.at(where, explicit=settings) as desk:
        policy = _policy(desk)
    rows = [_row(name, found, policy, instants.seconds_of(moment)) for name, found in _wanted(rotation, policy).items()]
    if fmt is Paged.JSON:
        print(json.dumps({"schema": "twohand.oncall/v1", "at": moment, "rotations": rows}, indent=2))
    else:
        print("\n".join(map(_line, rows)))
    return 0


def _policy(desk: "Desk") -> "Policy":
    default = desk.default_branch or ""
    tip = desk.repo.first_ref(default) if default else None
    policies = desk.standing(default or "HEAD", tip.id if tip else desk.repo.empty_tree).policies
    if not policies:
        raise NoRotation("No policy here can be used.", remedy="`twohand policy validate` says why.")
    return policies[-1]


def _wanted(name: str, policy: "Policy") -> Mapping[str, "Rotation"]:
    if not policy.rotations:
        raise NoRotation(
            f"{policy.source} has no rotation.", remedy="Add [rotations.NAME] with people = [...]; docs/escalation.md."
        )
    if name and name not in policy.rotations:
        known = ", ".join(sorted(policy.rotations))
        raise NoRotation(f"{policy.source} has no rotation {name!r}.", remedy=f"It has {known}.")
    return {name: policy.rotations[name]} if name else policy.rotations


def _row(name: str, rotation: "Rotation", policy: "Policy", at: int) -> dict[str, Any]:
    from rules import instants  # noqa: PLC0415
    from rules.rotations import on_call  # noqa: PLC0415
    from rules.zones import UTC  # noqa: PLC0415
    from streams import clock  # noqa: PLC0415

    table = clock.zones((rotation.zone,), at).get(rotation.zone)
    active = policy.active(policy.people)
    duty = on_call(rotation, table or UTC, at, active)
    following = on_call(rotation, table or UTC, duty.until, active)
    return {
        "rotation": name, "person": duty.person or None, "since": instants.text_of(duty.since),
        "until": instants.text_of(duty.until), "why": duty.why, "turn": rotation.turn, "zone": rotation.zone,
        "zone_known": table is not None, "left": list(duty.left), "next": following.person or None,
    }  # fmt: skip


def _line(row: Mapping[str, Any]) -> str:
    left = f"; {', '.join(row['left'])} {'have' if len(row['left']) > 1 else 'has'} left" if row["left"] else ""
    why = "stands in (override)" if row["why"] == "override" else f"{row['turn']} turn, {row['zone']}"
    unknown = "" if row["zone_known"] else f"; {row['zone']} is unknown on this machine and read as UTC"
    who = row["person"] or "nobody: everybody in it has left, and the fallback is asked"
    then = f", then {row['next']}" if row["next"] and row["next"] != row["person"] else ""
    return f"{row['rotation']}: {who} until {row['until']}{then} ({why}{left}{unknown})"
