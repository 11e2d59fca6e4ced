"""The lines by which a commit says which agent made it; docs/provenance-marks.md tells why these and no others."""

from collections.abc import Iterable, Iterator
from typing import Final

from rules import lineage
from rules.claims import Claim

_LABELS: Final = {  # the namespace of a session -> its label, and what stands before the id
    "claude": ("Claude-Session", ""),
    "codex": ("Codex-Session", ""),
    "copilot": ("Copilot-Session", ""),
    "devin": ("Devin-Session", ""),
}
_CLOUD: Final = "https://claude.ai/code/"
_AMP: Final = "https://ampcode.com/threads/"


def missing(agents: Iterable[Claim], said: Iterable[Claim], operator: str = "") -> tuple[str, ...]:
    """What has to be added to a message that says `said` already, for the agents of this environment.

    `operator` is `Name <address>` of the person behind an agent that commits under its own name.
    """
    known = tuple(said)
    lines = [line for claim in agents for line in _lines(claim, known)]
    if operator and _by_itself(known) and not _names(known, operator):
        lines.append(f"Co-authored-by: {operator}")
    return tuple(lines)


def _lines(claim: Claim, said: tuple[Claim, ...]) -> Iterator[str]:
    if not any(_is_told(claim, other) for other in said):
        yield f"Assisted-by: {_agent(claim)}"
    if claim.session and not any(other.session == claim.session for other in said):
        yield session_line(claim.session)


def _is_told(claim: Claim, other: Claim) -> bool:
    same = other.kind == "agent" and other.tool == claim.tool
    return same and (not claim.model or other.model == claim.model or lineage.same_model(other.model, claim.model))


def _agent(claim: Claim) -> str:
    """`Copilot:gpt-5.2`, the form that the Linux kernel asks for; the tool alone where its model is not known."""
    tool = claim.tool[:1].upper() + claim.tool[1:]
    model = " ".join(claim.model.split())
    return f"{tool}:{model}" if model and model.isprintable() else tool


def session_line(session: str) -> str:
    """The line for `NAMESPACE:ID`: the tool's own where it has one, else `Agent-Session`."""
    namespace, _, name = session.partition(":")
    if namespace == "claude-web" and name.startswith("session_"):
        return f"Claude-Session: {_CLOUD}{name}"
    if namespace == "amp" and name.startswith("T-"):
        return f"Amp-Thread-ID: {_AMP}{name}"
    label, before = _LABELS.get(namespace, ("Agent-Session", f"{namespace}:"))
    return f"{label}: {before}{name}"


def _by_itself(said: Iterable[Claim]) -> bool:
    authors = [claim for claim in said if claim.channel == "author"]
    return bool(authors) and all(claim.kind == "agent" for claim in authors)


def _names(said: Iterable[Claim], operator: str) -> bool:
    address = operator.rpartition("<")[2].rstrip(">").lower()
    return any(claim.email.lower() == address for claim in said if claim.kind == "person")
