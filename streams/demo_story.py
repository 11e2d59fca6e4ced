"""The story that `twohand demo` tells: the people, the policy, the code, and what has to come out of every step.

A regulator's filing says that a check was missing: an account-recovery flow sent its link to an address that nobody had
verified. That AI wrote the change and AI reviewed it is reported.
"""

from typing import Final, NamedTuple

EXIT: Final = {"admitted": 0, "blocked": 1, "escalated": 4, "pending": 5}
KEYS: Final = ("alice", "bob", "second_claude", "qwen")
PEOPLE: Final = {
    "alice": ("Alice Doe", "alice@example.com"),
    "claude": ("Claude", "noreply@anthropic.com"),
}
POLICY: Final = """\
    version = 1
    repository = "example/shop"

    [[requirement]]
    name = "an independent hand"
    from = ["model", "human"]

    [[requirement]]
    name = "security belongs to its owners"
    when = {{ any = [ {{ paths = ["**/auth/**", "**/*recovery*"] }}, {{ tier = "hold" }} ] }}
    from = ["owner"]

    [people.alice]
    emails = ["alice@example.com"]
    accounts = ["github:alice"]
    keys = ["{alice}"]

    [people.bob]
    emails = ["bob@example.com"]
    accounts = ["github:bob"]
    keys = ["{bob}"]

    [people.carol]
    emails = ["carol@example.com"]

    [agents.second-claude]
    keys = ["{second_claude}"]
    operator = "carol"
    tool = "claude"
    model = "claude-opus-5"
    maker = "anthropic"
    family = "claude"

    [agents.qwen-reviewer]
    keys = ["{qwen}"]
    operator = "carol"
    model = "qwen3-coder"
    maker = "alibaba"
    family = "qwen"
    """


class File(NamedTuple):
    path: str
    text: str


class Command(NamedTuple):
    """`speaker` is who commits, where git commits."""

    argv: tuple[str, ...]
    speaker: str = ""


class Step(NamedTuple):
    """`outcome` and `shows` is what the step's review has to say; `sections` are how the parts of it begin that are shown."""

    title: str
    told: str
    commands: tuple[Command, ...]
    edit: tuple[str, str] | None = None
    outcome: str = ""
    shows: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


FILE: Final = File(
    "shop/helpers.py",
    """\
    def send_reset_link(request):
        account = accounts.find(request.name)
        if request.email not in account.verified_emails:
            raise PermissionDenied("nobody verified this address")
        token = tokens.create(account, minutes=15)
        mail.send(request.email, link(token))
    """,
)
_CHECK: Final = """\
    if request.email not in account.verified_emails:
        raise PermissionDenied("nobody verified this address")
"""
_MESSAGE: Final = """\
Simplify the reset helper

Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>
Claude-Session: https://claude.ai/code/session_01Demo"""
AXES: Final = "identity"  # how the table of the five axes begins
_REVIEW: Final = Command(("twohand", "review"))
PROLOGUE: Final = """\
    Account recovery sent a link to an address that nobody had verified: a check was missing.
    Reportedly an AI had written that change, and an AI had approved it. Here it happens again,
    with twohand at the gate: a temporary repository, fresh keys, the commands as one types them.
    """


def _signed(verb: str, name: str, key: str, *more: str) -> Command:
    return Command(("twohand", verb, "HEAD", "--as", name, "--key", f"../keys/{key}", *more))


STEPS: Final = (
    Step(
        "An agent drops a check, under a harmless path and a friendly message",
        "bob, who runs the agent, says so: he proposes the change and names the tool.",
        (
            Command(("git", "commit", "-qam", _MESSAGE), "claude"),
            Command(("git", "diff", "main")),
            _signed("propose", "bob", "bob", "--tool", "claude"),
        ),
        edit=(_CHECK, ""),
    ),
    Step(
        "Another account of the same model approves: blocked",
        "Another name, another key, another operator. It is still the model that wrote the change.",
        (_signed("approve", "second-claude", "second_claude"), _REVIEW),
        outcome="blocked",
        shows=("self-review.model", "self-review.family", "identity", "operator", "session"),
        sections=("why", "who spoke", AXES),
    ),
    Step(
        "A model of another family approves: escalated to the owner",
        "That is a second hand. But a check is gone, and that only the owner of the path can release.",
        (_signed("approve", "qwen-reviewer", "qwen"), _REVIEW),
        outcome="escalated",
        shows=("owner.required", "alice", "auth-check-removed"),
        sections=("why", "findings", "next"),
    ),
    Step(
        "The owner signs: admitted",
        "Whether the check may go is for alice to say, by name and with her key.",
        (_signed("approve", "alice", "alice"), _REVIEW),
        outcome="admitted",
        sections=("requirements", "owners"),
    ),
    Step(
        "The message is amended: still admitted",
        "Approvals are bound to content, not to a commit. The marks left the message; the authors stay.",
        (Command(("git", "commit", "-q", "--amend", "-m", "A simpler reset helper"), "claude"), _REVIEW),
        outcome="admitted",
        shows=("claude",),
        sections=("made by",),
    ),
    Step(
        "One more byte changes: escalated again",
        "A link that lived 15 minutes lives 95. Nobody approved that.",
        (
            Command(("git", "commit", "-qa", "--amend", "--no-edit"), "claude"),
            Command(("git", "diff", "HEAD@{1}")),
            _signed("propose", "bob", "bob", "--tool", "claude"),
            _REVIEW,
        ),
        edit=("minutes=15", "minutes=95"),
        outcome="escalated",
        shows=("approval.stale", "owner.required"),
        sections=("why",),
    ),
)
