"""What the text and the page of an audit say in the same words: numbers, names of kinds, and what the evidence is worth."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from streams.audit.rows import LONGEST, Told
from streams.audit.summary import Counted, LetIn, Reviews, Summary
from streams.sinks.render.safe import columns, shown
from streams.sinks.render.sheet import GLUE

KINDS = {
    "agent": ("agents alone", "the author is a tool"),
    "mixed": ("people with agents", "a person's name and a tool's mark or record"),
    "human": ("people", "no sign of a tool; but silence proves nothing"),
    "service": ("services", "dependency bots, CI, merge machines"),
    "unknown": ("unknown", "nobody is named, or nothing tells who it is"),
}
BY = {
    "agent": "an agent", "mixed": "a person with an agent", "human": "a person", "service": "a service",
    "unknown": "nobody knows whom",
}  # fmt: skip
READ = {
    "independent": "read by somebody independent",
    "self": "read by its own authors alone",
    "none": "no sign that anybody else read it",
    "unknown": "whether anybody read it is not known",
}
READ_SHORT = {"independent": "independent", "self": "authors alone", "none": "no sign of any", "unknown": "not known"}
GRADES = (
    "A is proven by a registered key; B is asserted by the forge or the gate; C was recorded by a tool, unsigned; "
    "D is text that anybody can write. Weak evidence may add suspicion, it never takes any away."
)
READINGS = (
    "A reading shows as a signed statement, or as D evidence: a forge's merge commit, a Reviewed-by line. "
    "These are taken as said, not as proven. A review that left no trace in git is not seen: a forge that squashes or "
    "rebases does not write down who read it, and such commits are not known."
)
KNOWN = "known: written by people alone, or read by somebody independent"
SILENCE = (
    "A change that says nothing about its tools is stamped `undeclared` in every decision. Where the policy says "
    'undeclared = "unresolved", approvals of it do not count on guarded paths, and elsewhere one more is asked for.'
)
TRUTH = (
    "One line in the message (Assisted-by: TOOL:MODEL) or one command (twohand propose) ends that: once it is said "
    "which model wrote a change and a person answers for it, a reviewer of another maker can count as the second hand."
)
PROPOSE = "twohand propose HEAD --as NAME --key FILE --tool TOOL --model ID"
NO_TOOL = "twohand propose HEAD --as NAME --key FILE --tool none"
UNNAMED = "not named"


Remarks = Callable[[Told], list[str]]


class Step(NamedTuple):
    """A command, and what it is for."""

    command: str
    why: str


def number(value: int) -> str:
    return f"{value:,}"


def counted(value: int, noun: str = "commit") -> str:
    """`1 commit`, `2,000 commits`."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def percent(part: int, whole: int) -> str:
    """One decimal; never 0 for something, never 100 for less than all, "" where there is nothing to share."""
    if not whole:
        return ""
    tenths = round(1000 * part / whole)
    if part and not tenths:
        return f"<0.1{GLUE}%"
    if part < whole and tenths == 1000:
        return f">99.9{GLUE}%"
    return f"{tenths // 10}.{tenths % 10}{GLUE}%"


def share(part: int, whole: int, noun: str = "commit") -> str:
    """`40 of 51 commits (78.4 %)`."""
    told = f"{part:,} of {counted(whole, noun)}"
    return f"{told} ({percent(part, whole)})" if whole else told


def name(value: str) -> str:
    """A tool, maker, rule or person of the repository, harmless; what nothing names is said to be that."""
    return shown(value, 60) if value else UNNAMED


def tail(path: str, room: int = 50) -> str:
    """A path, harmless, whose end is seen however long it is: in so many cells."""
    text = shown(path, LONGEST)
    while columns(text) > room:
        text = "…" + text[2:]
    return text


def headline(summary: Summary) -> str:
    if not summary.read.commits:
        return "No commit was read."
    hands = summary.hands
    return f"Agents had a hand in at least {share(hands.with_agents, hands.total)}."


def weakened(summary: Summary) -> str:
    found, scanned = summary.weakened, summary.read.commits - summary.read.unscanned
    if not scanned:
        return "No rule looked at these commits, so what they weakened is not known."
    if not found.commits:
        return f"No rule would have held any of {counted(scanned)}: none weakened a check that the rules know."
    unread = f" {number(found.reviews.unread)} of these show no independent reader." if found.reviews.unread else ""
    gate = (
        f" ({number(found.gate_only)} only edited the gate itself: workflows, hooks, instructions)"
        if found.gate_only
        else ""
    )
    held = share(found.commits, scanned)
    return f"The rules would have asked an owner about {held}: they weakened a check, or may have{gate}.{unread}"


def looked(summary: Summary) -> str:
    reviews = summary.looked.reviews
    return f"{share(reviews.unread, reviews.total)} show no independent reader."


def foremost(summary: Summary) -> str:
    """By what the commits are ranked that nobody is shown to have read: without diffs neither paths nor sizes are known."""
    ranked = "newest with agents" if summary.read.pathless == summary.read.commits else "most sensitive and largest"
    return f"The {ranked} that show no independent reader"


def cut(listed: int, whole: int, page: int = 0) -> str:
    """What a list leaves out and where it stands; "" where it is whole. `page` rows stand on the page of --format html."""
    if listed >= whole:
        return ""
    first = f"the first {number(listed)} of {number(whole)}"
    if page >= whole:
        return f"{first}; all of them: --format html"
    more = f"; {number(page)} of them: --format html" if page > listed else ""
    return f"{first}{more}; all of them: --format jsonl"


def unmarked(summary: Summary) -> str:
    agents, made = summary.agents, summary.hands.with_agents
    if not agents.unmarked:
        return f"None of {counted(made)} with agents lacks a mark in author or message."
    by = ", ".join(f"{name(one.name)} {number(one.commits)}" for one in agents.shown_by)
    told = f"{share(agents.unmarked, made)} with agents carry no mark in author or message"
    return f"{told}; other evidence shows them: {by}." if by else f"{told}; other evidence shows them."


def grades(summary: Summary) -> str:
    """How many commits rest on which grade at best."""
    found = ", ".join(f"{name(one.name)} {number(one.commits)}" for one in sorted(summary.agents.grades))
    return f"Best evidence for an agent, by commits: {found}."


def declared(summary: Summary) -> str:
    """What the independent readings rest on."""
    looked_at = summary.looked
    if not looked_at.reviews.independent:
        return ""
    told = share(looked_at.declared, looked_at.reviews.independent, "independent reading")
    return f"{told} rest on C or D evidence alone."


def partial(summary: Summary) -> str:
    read = counted(summary.read.commits)
    return f"Interrupted: this is true of the {read} that were read, and says nothing of the rest."


def span(summary: Summary) -> str:
    read = summary.read
    if not read.first:
        return counted(read.commits)
    dates = f"on {read.first}" if read.first == read.last else f"from {read.first} to {read.last}"
    brought = f", each with what it brought in: {counted(read.members)} in all" if read.members else ""
    head = f", back from {shown(summary.head[:12])}" if summary.head else ""
    return f"{counted(read.commits)} {dates}{head}{brought}"


def gaps(summary: Summary) -> list[str]:
    """What was not read, or is not known, each with its number; empty where there is nothing of the sort."""
    read, agents, time = summary.read, summary.agents, summary.timeline
    left_out = f"{counted(read.cut_paths, 'path')} of these are left out of what is said of paths"
    rows = (
        (
            "with content that no rule could read (binaries, pointers, files over the limits) or that is missing",
            read.unreadable,
        ),
        ("that no rule looked at", read.unscanned),
        ("read without their diffs, so that it is not known what they touch", read.pathless),
        (f"with more paths than are kept; {left_out}", read.cut),
        ("from a branch named for an agent, without another sign of one: suspected, not counted", read.suspected),
        ("whose author nothing identifies", summary.hands.unknown),
        ("with agents that name no tool", _unnamed(agents.tools)),
        ("with agents that name no model of a known maker", _unnamed(agents.makers)),
        ("of which it is not known whether anybody read them", summary.looked.reviews.unknown),
        ("without a date between 1970 and 2100", time.undated),
        ("dated in the future", time.later.total),
    )
    told = [f"commits {text}: {number(value)}" for text, value in rows if value]
    others = (
        ("changes of sensitive paths beyond the number of paths that is followed", summary.areas.missed),
        ("ids that are no commit here, or could not be read, and are counted nowhere else", read.errors),
    )
    return told + [f"{text}: {number(value)}" for text, value in others if value]


def _unnamed(found: Iterable[Counted]) -> int:
    return sum(one.commits for one in found if not one.name)


def let_in(one: LetIn) -> str:
    """`Ann 7 (landed 3, committed 4)`."""
    how = [f"{verb} {number(value)}" for verb, value in (("landed", one.landed), ("committed", one.committed)) if value]
    return (
        f"{name(one.name)} {number(one.commits)} ({', '.join(how)})" if len(how) > 1 else f"{name(one.name)} ({how[0]})"
    )


def reviews(found: Reviews) -> str:
    """The four states in a row, with their counts."""
    return ", ".join(f"{READ_SHORT[state]} {number(value)}" for state, value in found._asdict().items())


def steps(summary: Summary) -> tuple[Step, Step]:
    """The two commands to try next."""
    first = Step("twohand init", "writes a first policy from what this repository shows")
    commit = summary.weakened.worst[0].commit[:12] if summary.weakened.worst else ""
    if commit.isascii() and commit.isalnum():
        judge = f"twohand review --dry-run --base {commit}^ --head {commit}"
        return Step(
            judge, "what the gate would have said to the first of the changes above that weakened a check"
        ), first
    return first, Step("twohand review --dry-run", "what the gate says of the branch that is checked out")


def told(one: Told) -> list[str]:
    """Who made a commit, who let it in, how large it is, what it touches, and who read it."""
    tools = f" ({', '.join(map(name, one.tools))})" if one.tools else ""
    author = f"{name(one.author)}, " if one.author else ""
    who = f"{'landed' if one.landed else 'committed'} by {name(one.let_in_by)}"
    areas = [f"touches {', '.join(tail(path) for path in one.areas)}"] if one.areas else []
    size = [f"+{number(one.added)} -{number(one.removed or 0)}"] if one.added is not None else []
    made_by = f"by {author}{BY.get(one.kind, BY['unknown'])}{tools}"
    return [made_by, who, *size, *areas, READ.get(one.review, READ["unknown"])]


def made(one: Told) -> list[str]:
    """The same without who let it in and who read it, where the list already says so."""
    by, _, *rest = told(one)
    return [by, *rest[:-1]]
