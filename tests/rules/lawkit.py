"""Changes, people and statements for tests of the law: values only, no git, no processes, no clock."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

from rules import policy as policies
from rules.case import Case, fold
from rules.change import FileChange, content_key
from rules.claims import Claim
from rules.decision import Decision, decide
from rules.events import ChangeProposed, CommitFact, Event, ReviewGiven, WaiverGranted
from rules.findings import Finding, Tier, Uncovered
from rules.instants import later
from rules.sshsig import BEGIN, END, Signer
from rules.statement import Content, Statement, payload

NOON = "2026-11-21T12:00:00Z"
REPOSITORY, TARGET = "example/shop", "refs/heads/main"
BASE, HEAD = "b" * 40, "a" * 40


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def key_blob(name: str, kind: str = "ssh-ed25519") -> bytes:
    return (
        _string(kind.encode())
        + _string(sha256(name.encode()).digest())
        + (b"" if kind == "ssh-ed25519" else _string(b"ssh:"))
    )


def key(name: str, kind: str = "ssh-ed25519") -> str:
    """A public key line that nobody has the private part of."""
    return f"{kind} {b64encode(key_blob(name, kind)).decode()}"


def armor(name: str, *, namespace: str = "twohand", kind: str = "ssh-ed25519", touched: bool = False) -> str:
    """What an SSH signature by this key looks like."""
    signature = (
        _string(kind.encode()) + _string(bytes(64)) + (bytes([touched]) + bytes(4) if kind.startswith("sk-") else b"")
    )
    parts = (key_blob(name, kind), namespace.encode(), b"", b"sha512", signature)
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(map(_string, parts))
    return f"{BEGIN.decode()}\n{b64encode(blob).decode()}\n{END.decode()}\n"


PEOPLE = f"""
[people.alice]
emails = ["alice@example.com"]
accounts = ["github:alice"]
keys = ["{key("alice")}"]
[people.bob]
emails = ["bob@example.com"]
accounts = ["github:bob"]
keys = ["{key("bob")}"]
[people.carol]
emails = ["carol@example.com"]
accounts = ["github:carol"]
keys = ["{key("carol")}", "{key("carol-touch", "sk-ssh-ed25519@openssh.com")}"]
[people.dave]
emails = ["dave@example.com"]
keys = ["{key("dave")}"]
[people.gone]
emails = ["gone@example.com"]
keys = ["{key("gone")}"]
active = false
[agents.claude-two]
keys = ["{key("claude-two")}"]
emails = ["claude-two@agents.example.com"]
operator = "bob"
tool = "claude"
model = "claude-opus-5"
maker = "anthropic"
family = "claude"
[agents.gpt]
keys = ["{key("gpt")}"]
operator = "dave"
model = "gpt-5.2"
maker = "openai"
family = "gpt"
[agents.qwen]
keys = ["{key("qwen")}"]
operator = "carol"
model = "qwen3-coder"
maker = "alibaba"
family = "qwen"
[agents.router]
keys = ["{key("router")}"]
operator = "carol"
[services.dependabot]
accounts = ["github:dependabot[bot]"]
emails = ["49699333+dependabot[bot]@users.noreply.github.com"]
[teams]
security = ["carol", "dave"]
"""

ONE_HAND = """
[[requirement]]
name = "an independent hand"
from = ["model", "human"]
"""

OWNED = """
[[requirement]]
name = "security belongs to its owners"
when = { any = [ { paths = ["auth/**"] }, { tier = "hold" } ] }
from = ["owner"]
"""


def law(more: str = ONE_HAND, *, people: str = PEOPLE, top: str = "") -> policies.Policy:
    """A policy of these requirements over the people above."""
    return policies.parse(f"version = 1\nrepository = '{REPOSITORY}'\n{top}\n{more}\n{people}", "twohand.toml")


def file(path: str = "src/a.py", *, old: str = "1", new: str = "2", lines: int = 3) -> FileChange:
    """One changed file; an empty side is absent."""
    blobs = [side * 40 if side else "0" * 40 for side in (old, new)]
    modes = ["100644" if side else "000000" for side in (old, new)]
    return FileChange(path, modes[0], blobs[0], modes[1], blobs[1], lines, 0)


def line(name: str, email: str, *, commit: str = HEAD, channel: str = "author") -> Claim:
    return Claim(channel, "D", commit=commit, kind="person", name=name, email=email)


def written_by(name: str, commit: str = HEAD) -> tuple[Claim, ...]:
    """Author and committer lines of an enrolled person."""
    return tuple(
        line(name, f"{name}@example.com", commit=commit, channel=channel) for channel in ("author", "committer")
    )


def mark(tool: str = "claude", model: str = "claude-opus-5", *, session: str = "", commit: str = HEAD) -> Claim:
    """A tool's co-author mark, as the message reader gives it."""
    maker, family = {"claude": ("anthropic", "claude"), "codex": ("openai", "gpt")}.get(tool, ("", ""))
    return Claim(
        "co-author", "D", commit=commit, kind="agent", name=tool, tool=tool, model=model, maker=maker, family=family,
        session=session, text=f"Co-authored-by: {tool}",
    )  # fmt: skip


def opened(account: str) -> Claim:
    return Claim("opened-by", "B", name=account, account=account, text=f"{account} opened it")


def pushed(account: str) -> Claim:
    return Claim("pushed-by", "B", name=account, account=account, text=f"{account} pushed it")


def proposed(*claims: Claim, files: tuple[FileChange, ...] = (), change: str = "c1", **more: Any) -> ChangeProposed:
    """A change as its source read it; by default bob's own commit, opened by bob."""
    rows = files or (file(),)
    return ChangeProposed(
        **{
            "change": change, "repository": REPOSITORY, "target": TARGET, "base": BASE, "head": HEAD,
            "content_key": content_key(REPOSITORY, TARGET, rows), "files": rows, "commits": (CommitFact(HEAD),),
            "claims": claims or (*written_by("bob"), opened("github:bob")), "read_from": ("refs/twohand/reviews",),
            "at": NOON, **more,
        }
    )  # fmt: skip


def scanned(change: ChangeProposed, *findings: Finding, uncovered: tuple[Uncovered, ...] = ()) -> ReviewGiven:
    return ReviewGiven(
        change=change.change,
        content_key=change.content_key,
        reviewer="rules",
        findings=findings,
        uncovered=uncovered,
        at=NOON,
    )


def finding(path: str = "src/a.py", tier: Tier = Tier.HOLD, rule: str = "auth-check-removed") -> Finding:
    return Finding(rule, tier, path, "old", 7, "a check is gone", "if not ok: raise")


def said(verb: str, by: str, change: ChangeProposed, **more: Any) -> Statement:
    """What somebody says about a change as it is proposed."""
    plain = {
        "base": change.base, "head": change.head, "content_key": change.content_key,
        "paths": tuple(map(Content.of, change.files)), "time": NOON,
    }  # fmt: skip
    return Statement(verb, by, **{"repository": change.repository, "target": change.target, **plain, **more})


def heard(
    statement: Statement,
    *,
    key_of: str = "",
    kind: str = "ssh-ed25519",
    touched: bool = False,
    at: str = NOON,
    change: str = "c1",
) -> Event:
    """The statement as an event, its signature verified as that of `key_of` (its own author unless told otherwise)."""
    who = key_of or statement.by
    body = {
        "change": change, "content_key": statement.content_key, "statement": payload(statement).decode(),
        "signature": armor(who, kind=kind, touched=touched), "signer": Signer(key(who, kind), touched), "at": at,
    }  # fmt: skip
    if statement.verb == "waive":
        return WaiverGranted(**body)
    return ReviewGiven(reviewer=statement.by, **body)


def approved(by: str, change: ChangeProposed, **more: Any) -> Event:
    return heard(said("approve", by, change, **more))


def case_of(change: ChangeProposed, *events: Event, findings: tuple[Finding, ...] = ()) -> Case:
    """The case of a change that the rules have read."""
    return fold([change, scanned(change, *findings), *events])


def verdict(change: ChangeProposed, *events: Event, policy: policies.Policy | None = None, **more: Any) -> Decision:
    """What the law decides."""
    at = more.pop("at", later(NOON, 60))
    return decide(case_of(change, *events, **more), policy or law(), at)


def codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.reasons}


def unsigned(event: Event) -> Event:
    """The same statement with a signature that is good for nothing."""
    return replace(event, signer=None)
