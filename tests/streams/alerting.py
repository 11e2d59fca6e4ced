"""A decision to tell people about, and messages of it."""

from streams.sinks.alerts.message import Envelope, Person, of_decision

AT = "2026-11-21T14:00:00Z"
UNTIL = "2026-11-21T14:30:00Z"
ALICE = Person("alice", ("alice@example.com",))
BOB = Person("bob", ("bob@example.com", "robert@example.com"))
TOKEN = "ghp_" + "a8Kd02mVx91LqZ3sPo7TnY5uRbW4cE6fGh2j"


def decision(**changes):
    """An escalated decision about a check that was dropped, cut down to what messages read."""
    finding = {
        "rule": "auth-check-removed", "tier": "hold", "path": "shop/helpers.py", "side": "old", "line": 3,
        "message": "a check is gone", "quote": "if request.email not in account.verified_emails:",
    }  # fmt: skip
    owner = {
        "code": "owner.required", "subject": "shop/helpers.py", "requirement": "security belongs to its owners",
        "values": {"owners": ["alice", "bob"], "count": 1}, "remedy": "twohand approve 70d441cee582 --target main --as alice",
    }  # fmt: skip
    found = {
        "code": "finding.auth-check-removed", "subject": "shop/helpers.py", "requirement": "",
        "values": {"tier": "hold", "line": 3}, "remedy": "twohand approve 70d441cee582 --target main --as alice",
    }  # fmt: skip
    change = {
        "id": "c" * 64, "repository": "example/shop", "target": "refs/heads/main", "branch": "refs/heads/simpler-helper",
        "head": "70d441cee582" + "0" * 28,
    }  # fmt: skip
    owners = [{"path": "shop/helpers.py", "owners": ["alice", "bob"], "state": "awaited"}]
    base = {
        "change": change,
        "outcome": "escalated",
        "reasons": [found, owner],
        "findings": [finding],
        "owners": owners,
    }
    return {**base, **changes}


def message(kind="open", *, found=None, **changes):
    """A message of that kind about it."""
    given = {
        "dedup": "d" * 64, "event": f"event-{kind}", "at": AT, "asked": (ALICE, BOB),
        "link": "https://gate.example.com/changes/cccc",
    }  # fmt: skip
    if kind in ("acknowledged", "resolved"):
        given["by"] = "alice"
    if kind == "acknowledged":
        given["until"] = UNTIL
    if kind == "resolved":
        given["how"] = "approved"
    return of_decision(kind, found or decision(), Envelope(**{**given, **changes}))
