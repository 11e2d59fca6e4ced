"""A first policy, written out of what a repository shows. Pure: what was seen goes in, the text of a twohand.toml comes out.

Names, addresses and paths of a repository are anybody's text: each stands in the file as an escaped string or not at all,
and what is written parses as the policy that was meant.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from rules import policy, policy_shape
from streams.contributors import Contributor, History, Tool, slug_of

MOST_PEOPLE = 40  # enrolled at once; more stand in the output's count
MOST_ABSENT = 20  # named in comments
MOST_TOOLS = 12
MOST_FALLBACK = 3
SHARE = 20  # a twentieth of the latest year's commits makes a regular
MONTHLY = 12  # commits in the latest year make one in any case
FEWEST = 3  # commits in the latest year of somebody who answers for others' work
ALWAYS = ("**/auth/**", "**/*recovery*")


class Profile(StrEnum):
    """What kind of project it is; examples/ holds one policy of each."""

    TEAM = "team"
    SOLO = "solo"
    OPEN_SOURCE = "open-source"
    REGULATED = "regulated"


class FoundKey(NamedTuple):
    """A public key line, as the policy writes it, and where it was found."""

    text: str
    where: str


class Shown(NamedTuple):
    """What a repository shows. `keys` are by slug; `me` is the slug of the one who runs this, "" where unknown."""

    history: History
    repository: str = ""
    protect: tuple[str, ...] = ()
    keys: Mapping[str, tuple[FoundKey, ...]] = {}
    me: str = ""
    areas: tuple[str, ...] = ()  # globs of security paths that exist
    owners_file: str = ""
    owners_named: tuple[str, ...] = ()  # `@login`, `@org/team`, addresses


def enrolled(shown: Shown) -> tuple[Contributor, ...]:
    """Who gets enrolled, the most active first: regulars of the latest year, who has a key, and the one who runs this."""
    there = [one for one in shown.history.people if _is_regular(one, shown) or (one.recent and one.slug in shown.keys)]
    mine = [one for one in shown.history.people if one.slug == shown.me and one not in there[:MOST_PEOPLE]]
    return (*there[: MOST_PEOPLE - len(mine)], *mine)


def _is_regular(one: Contributor, shown: Shown) -> bool:
    return one.recent > 0 and (one.recent >= MONTHLY or one.recent * SHARE >= _year(shown))


def _year(shown: Shown) -> int:
    return sum(one.recent for one in shown.history.people)


def answering(shown: Shown) -> tuple[Contributor, ...]:
    """Who can answer for others' work: with a key, the one who runs this first, then regulars with more than a few commits.

    Where no such person has a key, the one who runs this, who must add one before the policy is committed.
    """
    people = sorted(enrolled(shown), key=lambda one: one.slug != shown.me)
    mine = people[:1] if people and people[0].slug == shown.me else []
    able = [one for one in people if one.slug in shown.keys and (one in mine or _is_core(one, shown))]
    alone = [one for one in able if not set(one.perhaps) & {other.slug for other in able[: able.index(one)]}]
    return tuple(alone or mine or people[:1])


def _is_core(one: Contributor, shown: Shown) -> bool:
    return _is_regular(one, shown) and one.recent >= FEWEST


def fallback(shown: Shown) -> tuple[str, ...]:
    """Who answers where nobody owns."""
    return tuple(one.slug for one in answering(shown)[:MOST_FALLBACK])


def why(one: Contributor, shown: Shown) -> str:
    """Why somebody answers for others' work."""
    said = ["runs `twohand init`"] if one.slug == shown.me else []
    said += ["has a key" if one.slug in shown.keys else "has NO KEY YET: add it before you commit this file"]
    share = f"{one.recent} of {_year(shown)} commits in the latest year"
    return ", ".join([*said, share] if one.recent else said)


def suggested(shown: Shown) -> Profile:
    """Solo where one person is there."""
    return Profile.SOLO if len(enrolled(shown)) == 1 else Profile.TEAM


def text_of(shown: Shown, profile: Profile) -> str:
    """The text of the policy. rules.policy.PolicyInvalid where it would be none, which is a defect of this module."""
    lines = [
        *_head(shown, profile),
        *_independence(profile),
        *_requirements(shown, profile),
        *_owners(shown, profile),
        *(line for one in enrolled(shown) for line in _person(one, shown.keys.get(one.slug, ()))),
        *_absent(shown),
        *_tools(shown),
        *_teams(shown, profile),
    ]
    text = "\n".join(lines) + "\n"
    policy.parse(text, "twohand.toml")
    return text


def quoted(text: str) -> str:
    """A TOML string on one line; what cannot be seen is escaped, what is no Unicode is replaced."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, items)) + "]"


def _rows(items: Iterable[str]) -> Iterator[str]:
    return (f"    {quoted(item)}," for item in items)


def _head(shown: Shown, profile: Profile) -> Iterator[str]:
    yield f"# Who may land what in this repository: a first policy ({profile}), written by `twohand init` out of what the"
    yield "# repository shows. Read it before you commit it: from then on a change of it needs the owners named here."
    yield "version = 1"
    if shown.repository:
        yield f"repository = {quoted(shown.repository)} # statements are bound to this name"
    if shown.protect:
        yield f"protect = {_list(shown.protect)} # the default branch is protected in any case"


def _independence(profile: Profile) -> Iterator[str]:
    if profile is Profile.SOLO:
        yield "\n# For one person, where nobody else can look: these two only advise, so your own signed approval counts, and every"
        yield '# decision that rests on it is stamped "not independent". It shows that you looked, not that somebody else did.'
        yield "# With a second person: enrol them below with a key, and delete this table. From then on nobody answers for their own"
        yield "# change; add them to [owners] fallback in the same step, or what you change in this file has no other owner."
        yield "[independence]"
        yield 'identity = "advise"'
        yield 'operator = "advise" # an agent of yours, of another model family, may look too'
    if profile is Profile.REGULATED:
        yield "\n[independence]"
        yield 'undeclared = "unresolved" # `twohand propose --tool none` says that a person wrote it alone'
        yield 'grade = "B" # only what a forge or a signature stands for shows that two hands differ'
        yield 'max_age = "7d"'


_HANDS = {
    Profile.TEAM: '\n[[requirement]]\nname = "an independent hand"\nwhen = { author = "any" }\nfrom = ["model", "human"]',
    Profile.SOLO: (
        '\n[[requirement]]\nname = "a signed look"\n'
        'when = { author = ["agent", "mixed", "human", "unknown"] }\nfrom = ["model", "human"]\n'
        '\n[[requirement]]\nname = "dependency bots wait for me"\nwhen = { author = "service" }\nfrom = ["human"]'
    ),
    Profile.OPEN_SOURCE: (
        '\n[[requirement]]\nname = "a maintainer or an independent model"\n'
        'when = { author = ["agent", "mixed", "human"] }\nfrom = ["model", "team:maintainers"]\n'
        '\n[[requirement]]\nname = "strangers and bots need a maintainer"\n'
        'when = { author = ["unknown", "service"] }\nfrom = ["team:maintainers"]'
    ),
    Profile.REGULATED: (
        '\n[[requirement]]\nname = "four eyes"\nwhen = { author = "any" }\nfrom = ["human"]\n'
        'presence = "required" # the touch of a security key'
    ),
}


def _requirements(shown: Shown, profile: Profile) -> Iterator[str]:
    people = enrolled(shown)
    yield _HANDS[Profile.TEAM if profile is Profile.OPEN_SOURCE and not people else profile]
    yield '\n[[requirement]]\nname = "security belongs to its owners"\nwhen = { any = [\n    { paths = ['
    yield from (f"    {row}" for row in _rows(dict.fromkeys((*ALWAYS, *shown.areas))))
    yield '    ] },\n    { tier = "hold" }, # findings that a human owner must answer\n] }\nfrom = ["owner"]'
    if profile is Profile.REGULATED:
        yield 'presence = "required"'


def _owners(shown: Shown, profile: Profile) -> Iterator[str]:
    people = answering(shown)
    yield "\n[owners]"
    if not people:
        yield '# fallback = ["NAME"] # nobody is enrolled yet'
        return
    team = profile is Profile.OPEN_SOURCE
    yield from (f"# {one.slug}: {why(one, shown)}" for one in (people if team else people[:MOST_FALLBACK]))
    able = [one.slug for one in people]
    later = [one.slug for one in enrolled(shown) if _is_core(one, shown) and one.slug not in (*able, *shown.keys)]
    if later:
        yield f"# Add them once their keys stand below: {_list(later[:MOST_FALLBACK])}"
    where = (
        f"where no line of {shown.owners_file} names anybody who can be reached"
        if shown.owners_file
        else "for every path"
    )
    yield f"fallback = {_list(('maintainers',) if team else fallback(shown))} # answer {where}"


def _person(one: Contributor, keys: tuple[FoundKey, ...]) -> Iterator[str]:
    yield f"\n[people.{one.slug}]{_said(one)}"
    if one.perhaps:
        yield f"# The same person as {', '.join(map(quoted, one.perhaps))}? Then make them one entry: two let one person answer for themselves."
    yield f"emails = {_list(filter(is_email, one.emails))}"
    if accounts := tuple(filter(is_account, one.accounts)):
        yield f"accounts = {_list(accounts)}"
    if not keys:
        yield f"keys = [] # the line of a .pub file: without it nothing that {one.slug} signs counts"
    else:
        yield "keys = ["
        yield from (f"    {quoted(key.text)}, # {quoted(key.where)}" for key in keys)
        yield "]"


def _said(one: Contributor) -> str:
    """Who it is, where the table's name does not already say so."""
    name = f"{quoted(one.name)}, " if one.name and one.name != one.slug else ""
    return f" # {name}{one.commits} commit{'' if one.commits == 1 else 's'}, {one.recent} in the latest year"


def is_email(text: str) -> bool:
    """Whether the policy takes it as an address."""
    return _taken(policy_shape.EMAIL.convert, text)


def is_account(text: str) -> bool:
    """Whether the policy takes it as `host:login`."""
    return _taken(policy_shape.ACCOUNT.convert, text)


def _taken(convert: object, text: str) -> bool:
    assert callable(convert)
    try:
        convert(text)
    except ValueError:
        return False
    return text.encode("utf-8", "replace").decode() == text


def _absent(shown: Shown) -> Iterator[str]:
    there = {one.slug for one in enrolled(shown)}
    others = [one for one in shown.history.people if one.slug not in there]
    if others:
        yield f"\n# Not enrolled: {len(others)} more, who have no commit in the latest year, or few. Uncomment whom you know."
    for one in others[:MOST_ABSENT]:
        yield from (f"# {line.strip()}" for line in _person(one._replace(perhaps=()), ()) if "keys = []" not in line)
    if len(others) > MOST_ABSENT:
        yield f"# ... and {len(others) - MOST_ABSENT} others"


def _tools(shown: Shown) -> Iterator[str]:
    seen = shown.history.tools[:MOST_TOOLS]
    if seen:
        yield "\n# Seen in history. An agent that signs its own reviews, or a bot that opens changes, needs an entry; others do not."
    names: set[str] = set()
    for tool in seen:
        yield from _tool(tool, shown.me or next(iter(fallback(shown)), "NAME"), names)


def _tool(tool: Tool, operator: str, names: set[str]) -> Iterator[str]:
    slug = slug_of(tool.name) or tool.kind
    if slug in names:
        return
    names.add(slug)
    yield f"# [{'agents' if tool.kind == 'agent' else 'services'}.{slug}] # {tool.commits} commit{'' if tool.commits == 1 else 's'}"
    if is_account(tool.account):
        yield f"# accounts = {_list([tool.account])}"
    if tool.kind == "agent":
        yield '# keys = ["ssh-ed25519 AAAA..."] # a key of its own'
        yield f"# operator = {quoted(operator)}"
        for name, value in (("tool", tool.name), ("model", tool.model), ("maker", tool.maker), ("family", tool.family)):
            if value:
                yield f"# {name} = {quoted(value)}"


def _teams(shown: Shown, profile: Profile) -> Iterator[str]:
    people = [one.slug for one in enrolled(shown)]
    wanted = sorted({slug_of(name.rpartition("/")[2]) for name in shown.owners_named if "/" in name} - {""})
    if profile is Profile.OPEN_SOURCE and people:
        yield "\n[teams]"
        yield f"maintainers = {_list(one.slug for one in answering(shown))} # who answers for others' work, each with a key"
    elif wanted:
        yield "\n[teams]"
    for team in wanted:
        if team not in people and team != "maintainers":
            yield f'# {team} = ["NAME"] # named in {shown.owners_file}'
