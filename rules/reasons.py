"""Why a decision is what it is, as data (law 41): a stable code, what it speaks of, the values, and the command that helps."""

from shlex import quote
from typing import Any, NamedTuple

SELF_REVIEW = "self-review."
FINDING = "finding."
AGAIN = "twohand review"  # asks the models again, too
CODES = (
    *(SELF_REVIEW + axis for axis in ("identity", "operator", "session", "model", "family")),
    "independence.unresolved",
    "approval.missing",
    "approval.stale",
    "approval.unsigned",
    "approval.hasty",
    "owner.required",
    "owner.unresolved",
    "owner.inactive",
    "veto",
    "provenance.missing",
    "provenance.conflict",
    "evidence.incomplete",
    "coverage.partial",
    "reviewer.suspended",
    "reviewer.silent",
    "reviewer.failed",
    "reviewer.identity-mismatch",
    "policy.invalid",
    "policy.no-requirement",
    "policy.self-edit",
    "change.too-large",
    "change.head-moved",
    "ref.rewritten",
    "waiver.invalid",
    "waiver.expired",
)  # and finding.<rule> for each rule


class Reason(NamedTuple):
    """`requirement` is the name of the requirement it belongs to, or empty; `remedy` a command that can be pasted."""

    code: str
    subject: str
    requirement: str = ""
    values: dict[str, Any] = {}  # noqa: RUF012 - a value, never written
    remedy: str = ""


class Commands:
    """The commands that remedies name, for one change."""

    def __init__(
        self,
        head: str,
        target: str,
        *,
        tool: str = "",
        proposer: str = "",
        enrolled: bool = True,
        rewrite: bool = False,
    ) -> None:
        """`rewrite`: the change is a forced push (law 4). `tool` is what the change itself says that it was made with, `proposer` an enrolled name that could answer.

        Where nobody is enrolled, there is nobody whose statement could count: the first policy comes first.
        """
        self._enrolled = enrolled
        self._tool = tool
        self._proposer = proposer
        rewriting = " --rewrite" if rewrite else ""
        self._where = f"{head[:12]}{rewriting} --target {quote(target.removeprefix('refs/heads/'))}"

    def _verb(self, verb: str, who: str, more: str = "") -> str:
        if not self._enrolled:
            return "twohand init"
        return f"twohand {verb} {self._where} --as {quote(who or 'NAME')}{more}"

    def approve(self, who: str = "") -> str:
        return self._verb("approve", who)

    def owners(self) -> str:
        return "twohand owners" if self._enrolled else "twohand init"

    def propose(self) -> str:
        return self._verb("propose", self._proposer, f" --tool {quote(self._tool or 'none')}")

    def withdraw(self, who: str) -> str:
        return self._verb("withdraw", who)

    def waive(self, finding: str, who: str = "") -> str:
        return self._verb("waive", who, f" --finding {quote(finding)} --reason 'WHY'")
