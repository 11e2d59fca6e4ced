"""What a page is shown in tests: repositories with real decisions, and journals filled with many or hostile events."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rules import instants
from rules.canonical import canonical
from rules.change import FileChange
from rules.events import (
    ChangeProposed,
    CommitFact,
    DecisionMade,
    EscalationOpened,
    Event,
    LawText,
    ReviewGiven,
)
from rules.findings import Finding, Tier
from streams import settings
from streams.engines.journal import Journal
from streams.sources.git import Repository
from streams.web.place import Answers, Place
from tests.decisions import decision, finding, reason
from tests.gitrepo import Repo
from tests.streams.gate import clean_environment
from tests.streams.served import Served

TOKEN = "a token that nobody guesses"
NOW = "2026-03-01T15:00:00Z"
CHECK = "def login(user):\n    if not user.verified:\n        raise PermissionDenied('nobody verified this')\n    return start(user)\n"


def place_of(repo: Repo, *, answers: Answers | None = None, now: str = "") -> Place:
    opened = Repository.open(repo.path)
    found = settings.load(None, opened.common_dir, {})
    return Place(opened, found, answers=answers, **({"now": lambda: now} if now else {}))


def refused_push(root: Path, keys: Path, patch: pytest.MonkeyPatch) -> Served:
    """A server that refused a push: an agent dropped a check, and its objects are gone with the quarantine."""
    clean_environment(patch, root)
    served = Served(root, keys, files={"auth/login.py": CHECK})
    served.work.write("auth/login.py", "def login(user):\n    return start(user)\n")
    served.head = served.work.commit("Simpler login\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>")
    assert not served.push("feature:main").taken
    return served


def empty(root: Path) -> Repo:
    """A repository with one commit and no policy."""
    repo = Repo(root / "repo")
    repo.write("a.txt", "one\n")
    repo.commit("One")
    return repo


def fill(repo: Repo, events: Iterable[Event]) -> None:
    with Journal(repo.path / ".git" / "twohand" / "journal.db") as journal:
        journal.append(events)


def hexed(number: int, length: int = 64) -> str:
    return f"{number:0{length}x}"


def proposed(
    number: int = 1, *, text: str = "feature", files: tuple[FileChange, ...] = (), at: str = NOW, **parts: Any
) -> ChangeProposed:
    """A change whose every text of others is `text`."""
    files = files or (FileChange("src/a.py", "100644", "a" * 40, "100644", "b" * 40, 1, 2),)
    law = LawText("default", "main:twohand.toml", 'version = 1\n[[requirement]]\nname = "a hand"\nfrom = ["human"]\n')
    whole = {
        "change": hexed(number), "repository": "example/shop", "target": "refs/heads/main", "base": "d" * 40,
        "head": hexed(number, 40), "content_key": hexed(number), "branch": f"refs/heads/{text}", "files": files,
        "commits": (CommitFact(hexed(number, 40)),), "laws": (law,), "read_from": ("refs/twohand/reviews (0)",), "at": at,
    }  # fmt: skip
    return ChangeProposed(**whole | parts)


def decided(number: int = 1, *, at: str = NOW, **parts: Any) -> DecisionMade:
    """A recorded decision about the change of that number."""
    change = parts.pop("change", {})
    told = decision(**{"reasons": [reason("owner.required", "src/a.py", "owners", owners=["alice"], count=1)]} | parts)
    own = {
        "id": hexed(number),
        "head": hexed(number, 40),
        "content_key": hexed(number),
        "branch": f"refs/heads/work-{number}",
    }
    told |= {"change": told["change"] | own | change, "decided_at": at}
    return DecisionMade(
        change=hexed(number),
        content_key=hexed(number),
        outcome=told["outcome"],
        decision=canonical(told).decode(),
        at=at,
    )


def opened(number: int = 1, *, at: str = NOW, **parts: Any) -> EscalationOpened:
    whole = {
        "change": hexed(number),
        "escalation": hexed(number),
        "level": 0,
        "asked": ("alice",),
        "reasons": ("owner.required",),
    }
    return EscalationOpened(**whole | parts, at=at)


def hostile(text: str, path: str, number: int = 1) -> Iterator[Event]:
    """A change in which everything that others write is `text`, at a path that is `path`."""
    files = (FileChange(path, "100644", "a" * 40, "100644", "b" * 40, 1, 2),)
    yield proposed(text=text, files=files, number=number, repository=text, read_from=(text,))
    seen = Finding(text, Tier.HOLD, path, "old", 1, text, text)
    yield ReviewGiven(change=hexed(number), content_key=hexed(number), reviewer=text, findings=(seen,), at=NOW)
    yield ReviewGiven(
        change=hexed(number),
        content_key=hexed(number),
        reviewer=text,
        account=text,
        verdict="approve",
        head=text,
        time=NOW,
        at=NOW,
    )
    told = decision(
        reasons=[reason("owner.required", path, text, remedy=f"twohand approve {text}", owners=[text], count=1)],
        findings=[finding(text, path=path, message=text, quote=text)], stamps=[text],
    )  # fmt: skip
    yield decided(
        number, reasons=told["reasons"], findings=told["findings"], stamps=told["stamps"],
        change={"branch": text, "target": text, "number": text, "repository": text},
    )  # fmt: skip
    yield opened(number, asked=(text,), reasons=(text,))


def many(count: int) -> Iterator[Event]:
    """That many changes that wait, each asked about."""
    start = instants.seconds_of("2026-02-01T00:00:00Z")
    for number in range(1, count + 1):
        at = instants.text_of(start + number)
        yield proposed(number, text=f"work-{number}", at=at)
        yield decided(number, at=at)
        yield opened(number, at=at)
