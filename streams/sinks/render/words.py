"""What each reason code means in words, in one table: what it says of this change, what it is, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rules.reasons import FINDING
from streams.sinks.render.safe import shown

ANY_FINDING = FINDING + "<rule>"
SHOWN_NAMES = 4


class Words(NamedTuple):
    """`line` and `who` are filled with the subject and the values of a reason; `means` and `do` are for `twohand explain CODE`."""

    line: str
    means: str
    do: str
    who: str = ""  # who can do it, where the reason names nobody


_RECUSED = (
    "An approval by a hand that made the change is no second hand. The approval does not count; an objection would."
)
_ANOTHER = "Let somebody approve who has no part in it."

WORDS: dict[str, Words] = {
    "self-review.identity": Words(
        "{subject} is an author of this change: {evidence}",
        f"The reviewer is one of the authors, by this or another of their names, keys or accounts. {_RECUSED}",
        f"{_ANOTHER} Who is named as author without being one signs `twohand approve REV --not-author`.",
        "somebody without a part in it",
    ),
    "self-review.operator": Words(
        "{subject} has the operator of {with}: {evidence}",
        f"The same person stands behind the reviewer and behind an author. {_RECUSED}",
        f"{_ANOTHER} An agent of another operator will do where the requirement takes agents. Who only a note or a text "
        "puts behind a tool signs `twohand approve REV --not-author`.",
        "somebody without a part in it",
    ),
    "self-review.session": Words(
        "{subject} speaks from the session of {with}: {evidence}",
        f"The review comes out of the very session that wrote the change. {_RECUSED}",
        f"{_ANOTHER} The same tool in a fresh session is still the same operator, model and family.",
        "somebody without a part in it",
    ),
    "self-review.model": Words(
        "{subject} is the model of {with}: {evidence}",
        f"The reviewer runs the model that wrote the change, and so misses what it missed. {_RECUSED}",
        f"{_ANOTHER} A model of another maker and family will do where the requirement takes models.",
        "somebody without a part in it",
    ),
    "self-review.family": Words(
        "{subject} is of the family of {with}: {evidence}",
        f"The reviewer's model and an author's come from one maker or one line of weights. {_RECUSED}",
        f"{_ANOTHER} A model of another maker and family will do where the requirement takes models.",
        "somebody without a part in it",
    ),
    "independence.unresolved": Words(
        "{subject} is not shown to be another hand ({axis}): {evidence}",
        "Nothing shows that the reviewer is the author on this axis, and nothing shows the contrary. Unknown is not independent: "
        "on guarded paths the approval does not count, elsewhere one more is asked for.",
        "Let the person who answers for the change say who made it: `twohand propose REV --as NAME --tool TOOL`. "
        "Or let a person approve who has no part in it.",
        "who answers for the change",
    ),
    "approval.missing": Words(
        "{counted} of {needed} given; {who} can approve",
        "The requirement asks for more independent approvals than were given.",
        "One of those named reviews the change and signs `twohand approve REV --as NAME`; a model is asked again by "
        "`twohand review` or its worker.",
        "somebody without a part in it",
    ),
    "approval.stale": Words(
        "the approval of {subject} was for other content, or it has lapsed",
        "An approval holds for exactly the content it saw, while nobody touches these paths on the target, for at most `max_age`.",
        "The reviewer looks again and signs anew: `twohand approve REV --as NAME`.",
        "{subject}",
    ),
    "approval.unsigned": Words(
        "the statement of {subject} is nothing: {why}",
        "A statement counts when an enrolled key signed exactly these bytes, in the name that the key belongs to.",
        "Sign with a key that the target's policy enrols for that name: `twohand approve REV --as NAME --key FILE`.",
        "{subject}",
    ),
    "approval.hasty": Words(
        "{subject} approved faster than anybody reads this many lines",
        "`[independence] hasty` says how many changed lines a minute a person reads; this approval came sooner.",
        "Read the change, then approve again.",
        "{subject}",
    ),
    "owner.required": Words(
        "an owner must answer for {paths}: {owners}",
        "The paths are guarded, or something holds them. Each needs one active human owner who has no part in the change.",
        "An owner reviews the change and signs `twohand approve REV --as NAME`.",
        "an owner",
    ),
    "owner.unresolved": Words(
        "nobody is left who could answer for {paths}",
        "No owner is named, none of them can be reached, or each of them has a part in the change; the fallback has the same fate.",
        "Name another owner or `[owners] fallback` in the policy of the target branch; `twohand owners` shows who owns what.",
        "who may change the policy of the target branch",
    ),
    "owner.inactive": Words(
        "{paths} is owned by {owners}, and none of them can be reached",
        "The owners file names people who left or whom nobody enrolled. The fallback answers instead.",
        "Enrol them under [people.NAME], or name other owners; `twohand owners` shows who owns what.",
        "who may change the policy of the target branch",
    ),
    ANY_FINDING: Words(
        "{place} {weight}",
        "A rule saw something in the change. Tier block: it must be reworked or waived. Tier hold: an owner must answer.",
        "`twohand explain RULE` tells what the rule looks for and what to do instead.",
        "{may}",
    ),
    "veto": Words(
        "{subject} objects: {reason}",
        "An objection holds for every head of the change until its author withdraws it, a waiver covers it, or the change lands.",
        "Answer the objection; its author signs `twohand withdraw REV --as NAME`.",
        "{subject}",
    ),
    "provenance.missing": Words(
        "nobody answers for {commits}",
        "Commits say who wrote them, and anybody can write that. A change needs a person who answers for it: who signed its "
        "commits, opened or pushed it at a forge, or proposed it.",
        "The person responsible signs `twohand propose REV --as NAME --tool TOOL` (`--tool none` without any), or signs the commits.",
        "who answers for the change",
    ),
    "provenance.conflict": Words(
        "two claims about {subject} cannot both be true: {claims}",
        "The same lines, session, agent or signature is claimed twice. What conflicts counts for nobody.",
        "Correct the false claim, then propose the change again: `twohand propose REV --as NAME --tool TOOL`.",
        "who answers for the change",
    ),
    "evidence.incomplete": Words(
        "{subject}",
        "Something that the decision rests on could not be read. What was not read is not counted as harmless.",
        "Make it readable (`git fetch --unshallow`, missing objects, damaged refs), then `twohand review` again.",
        "anybody",
    ),
    "coverage.partial": Words(
        "{subject} could not be read: {why}",
        "No rule could look into this path: a binary, a submodule, a large file, or something beyond the limits.",
        "An owner of the path looks at it and approves.",
        "an owner",
    ),
    "reviewer.suspended": Words(
        "{subject} is suspended, its approval does not count",
        "The reviewer missed planted defects or drifted. It speaks, and it does not count until it is restored.",
        "Let another reviewer approve.",
        "anybody",
    ),
    "reviewer.silent": Words(
        "{subject} was awaited and did not answer in time",
        "A configured reviewer said nothing until the deadline.",
        "Let another reviewer approve, or see why it is silent: `twohand doctor`.",
        "anybody",
    ),
    "reviewer.failed": Words(
        "{subject} could not review: {why}",
        "The reviewer refused, ran into a limit, or gave an answer that is none. That is no approval.",
        "Run it again, or let another reviewer approve.",
        "anybody",
    ),
    "reviewer.identity-mismatch": Words(
        "{subject} is not who it should be: {why}",
        "The endpoint reported another model than the one that was declared, or none. Who judges is evidence; without it there is no vote.",
        "Find out what answers there: `twohand reviewers probe NAME`. Then correct the settings, or the endpoint.",
        "who runs the gate",
    ),
    "policy.invalid": Words(
        "{subject}{at}: {problem}",
        "The policy cannot be understood. A broken policy admits nothing.",
        "`twohand policy validate` names file, line, key, value and what is allowed.",
        "who may change the policy of the target branch",
    ),
    "policy.no-requirement": Words(
        "no requirement of {subject} speaks of this change",
        "The policy asks nothing about these paths. Nothing asked is not everything met.",
        "Add a requirement without `when` to the policy of the target branch: it then speaks of every change.",
        "who may change the policy of the target branch",
    ),
    "policy.self-edit": Words(
        "{subject} is part of the gate itself",
        "The policy, owners files, hooks, workflows, and instructions of agents decide what later changes must meet.",
        "An owner of the path reviews the change and approves.",
        "an owner",
    ),
    "change.too-large": Words(
        "the change is too large to be judged: {why}",
        "Beyond this size nobody reads all of it, and neither do the rules.",
        "Split it, or let an owner answer for it as a whole.",
        "an owner",
    ),
    "change.head-moved": Words(
        "the content is no longer what was decided about",
        "The decision was made for other content than what stands at the door now.",
        "`twohand review` the new head.",
        "anybody",
    ),
    "ref.rewritten": Words(
        "{subject} is rewritten{dropped}",
        "A protected ref moves to something that does not contain what it held: commits would be dropped.",
        "Bring the change as commits on top, or let an owner answer for the rewind.",
        "an owner",
    ),
    "waiver.invalid": Words(
        "the waiver of {by} for {subject} is nothing: {why}",
        "A waiver needs a reason, an expiry within the policy's maximum, exact content, and somebody without a part in the change.",
        "Somebody whom the policy lets waive signs anew: `twohand waive REV --finding RULE --reason WHY`.",
        "whom the policy lets waive",
    ),
    "waiver.expired": Words(
        "the waiver of {by} for {subject} has {why}",
        "A waiver holds for a while only.",
        "Rework what was waived, or waive it again with a reason.",
        "whom the policy lets waive",
    ),
}


LETTER = "finding.dead-letter"  # no rule makes it: the decider does
LETTERS = Words(
    "must be handed in again or dropped",
    "Something that was published about this change could not be handled by a worker. Nobody knows what it would have said.",
    "`twohand dead-letters list` names it and why. Repair that (an upgrade, for a version that a worker does not know), then "
    "`twohand dead-letters retry`. An enrolled person without a hand in the change may drop it, signed: `twohand dead-letters drop`.",
    "an operator of the engine",
)


def words_of(code: str) -> Words | None:
    """The words of a code, also of `finding.<rule>`; None where there is no such code."""
    if code == LETTER:
        return LETTERS
    return WORDS.get(ANY_FINDING if code.startswith(FINDING) else code)


def line(reason: Mapping[str, Any]) -> str:
    """One reason in one sentence."""
    found = words_of(str(reason["code"]))
    if found is None:
        return shown(reason["subject"])
    return found.line.format_map(_values(reason)).rstrip(": ").replace("  ", " ")


def who(reason: Mapping[str, Any]) -> str:
    """Who can do what the remedy says."""
    values = reason["values"]
    models = values.get("models", ())
    named = either(values.get("owners") or [name for name in values.get("who", ()) if name not in models])
    if models and not named:
        return ""
    found = words_of(str(reason["code"]))
    return named or (found.who.format_map(_values(reason)) if found else "")


def again(reason: Mapping[str, Any]) -> str:
    """Which models are asked again instead of anybody signing in their name; "" where none is."""
    models = [shown(name) for name in reason["values"].get("models", ())]
    if not models:
        return ""
    verb, its = ("is", "its worker") if len(models) == 1 else ("are", "their workers")
    return f"{' and '.join(models)} {verb} asked again by `twohand review` (or {its})"


def _values(reason: Mapping[str, Any]) -> dict[str, str]:
    values = reason["values"]
    plain = {name: shown(value) for name, value in values.items() if isinstance(value, str | int)}
    subject = shown(reason["subject"])
    made = {
        "subject": subject, "who": either(values.get("who", ())) or either([*map(_source, values.get("from", ()))]),
        "owners": either(values.get("owners", ())), "paths": some_paths(reason), "place": f"{subject}{_at(values)}",
        "weight": _weight(values), "may": "an owner" if values.get("tier") == "hold" else "whom the policy lets waive",
        "at": _at(values), "claims": " and ".join(map(shown, values.get("claims", ()))),
        "problem": _problem(values), "commits": _commits(values.get("commits", ())), "dropped": _dropped(values.get("dropped", ())),
    }  # fmt: skip
    return _Filled({**plain, **made})


class _Filled(dict[str, str]):
    """What a reason does not tell is left out of its sentence."""

    def __missing__(self, key: str) -> str:
        return ""


def either(names: Sequence[str], most: int = SHOWN_NAMES) -> str:
    """`alice, bob or carol`; the rest as a count."""
    known = [shown(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(known)} or {len(names) - most} more"
    return " or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def _source(name: str) -> str:
    """A source of approvals, where nobody enrolled is one."""
    kind, _, wanted = name.partition(":")
    if kind == "team":
        return f"somebody of {wanted}"
    return wanted or {"model": "an enrolled model", "human": "an enrolled person", "owner": "an owner"}.get(kind, name)


def some_paths(reason: Mapping[str, Any]) -> str:
    """The first path of a reason, and how many more there are."""
    values = reason["values"]
    first = shown(reason["subject"])
    more = int(values.get("count", 1)) - 1
    return f"{first} and {more} more" if more > 0 else first


def _at(values: Mapping[str, Any]) -> str:
    return f":{values['line']}" if values.get("line") else ""


def _problem(values: Mapping[str, Any]) -> str:
    """What is wrong in a policy: key, value, what is wrong with it, and what is allowed."""
    subject = " = ".join(shown(values[name]) for name in ("key", "value") if values.get(name))
    allowed = f" (allowed: {', '.join(map(shown, values['allowed']))})" if values.get("allowed") else ""
    return ": ".join(part for part in (subject, shown(values.get("message", "")) + allowed) if part)


def _weight(values: Mapping[str, Any]) -> str:
    return {"block": "must be reworked or waived", "hold": "needs an owner's answer"}.get(str(values.get("tier")), "")


def _commits(commits: Sequence[str]) -> str:
    if not commits:
        return "this change"
    names = ", ".join(shown(commit)[:12] for commit in commits[:3])
    more = f" and {len(commits) - 3} more" if len(commits) > 3 else ""
    return f"commit {names}" if len(commits) == 1 else f"commits {names}{more}"


def _dropped(commits: Sequence[str]) -> str:
    return f", dropping {len(commits)} commit{'s' * (len(commits) > 1)}" if commits else ""
