"""What `twohand doctor` and `hook status` find of protected refs: whether each stands where an admitted decision brought it."""

from collections.abc import Iterator
from shlex import quote

from streams.desk import Desk
from streams.doctor_clone import FAIL, OK, Check
from streams.moved import Incident, incidents
from streams.sources.git import HEADS, Repository

SHOWN = 3  # commits that are named


def protected_refs(repo: Repository) -> Iterator[Check]:
    """An incident for each ref that moved while nobody looked: hook off, by an administrator, out of a backup."""
    if not (repo.common_dir / "twohand" / "journal.db").exists():
        return
    with Desk(repo) as desk:
        known, found = len(desk.journal.tips()), incidents(desk)
    for incident in found:
        yield Check("protected refs", FAIL, told(incident), _remedy(incident, repo))
    if known and not found:
        yield Check(
            "protected refs",
            OK,
            f"{known} stand{'s' * (known == 1)} where the gate left {'it' if known == 1 else 'them'}",
        )


def told(incident: Incident) -> str:
    """What happened to one ref, with the commits that came and went."""
    short = incident.ref.removeprefix(HEADS)
    what = "is gone" if not int(incident.found, 16) else f"is at {incident.found[:12]}"
    left = "was not there" if not int(incident.left, 16) else f"left it at {incident.left[:12]}"
    parts = [_named(incident.commits, "brought in"), _named(incident.lost, "lost")]
    return f"{short} {what} without an admitted decision; the gate {left}{''.join(parts)}"


def _named(commits: tuple[str, ...], verb: str) -> str:
    if not commits:
        return ""
    more = f" and {len(commits) - SHOWN} more" if len(commits) > SHOWN else ""
    return f"; {verb}: {', '.join(commit[:12] for commit in commits[:SHOWN])}{more}"


def _remedy(incident: Incident, repo: Repository) -> str:
    """Put it back, or have it reviewed afterwards: an admitted decision over exactly this step closes the incident."""
    back = f"git update-ref {incident.ref} {incident.left}"
    if not int(incident.found, 16) or not int(incident.left, 16) or incident.lost:
        return f"put it back: `{back}`"
    where = f"-C {quote(str(repo.git_dir))} --target {quote(incident.ref.removeprefix(HEADS))}"
    return (
        f"put it back: `{back}`; or have it approved afterwards, then "
        f"`twohand review {where} --base {incident.left[:12]} --head {incident.found[:12]}`"
    )
