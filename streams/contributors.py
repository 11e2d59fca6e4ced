"""Who stands in a history: people with all their addresses, agents and services, out of what commits claim."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from unicodedata import normalize

from rules import lineage, messages
from rules.claims import Claim
from rules.commits import Commit

YEAR = 366 * 86400  # seconds
NOREPLY = "@users.noreply.github.com"
LONGEST_SLUG = 40
SHORTEST_LOGIN = 4  # characters; below that, equal handles are chance
COMMON = frozenset({
    "admin", "contact", "developer", "email", "github", "gitlab", "hello", "info", "mail", "noreply", "office", "root",
    "support", "team", "user", "webmaster", "work",
})  # fmt: skip
RESERVED = frozenset({"maintainers"})  # a team that a first policy may define


class Contributor(NamedTuple):
    """A person. `commits` counts all that were read, `recent` those of the last year; `last` is in seconds since 1970.

    `perhaps` are the slugs of others who may be the same person.
    """

    slug: str
    name: str  # the one used most
    emails: tuple[str, ...]  # lower case, the one used most first
    accounts: tuple[str, ...]  # `github:login`, from GitHub's noreply addresses
    commits: int
    recent: int
    last: int
    perhaps: tuple[str, ...] = ()


class Tool(NamedTuple):
    """An agent or a service as commits name it; `model` is the one named most."""

    kind: str  # agent, service
    name: str
    maker: str
    family: str
    model: str
    account: str
    commits: int


class History(NamedTuple):
    """`people` stand with the most active of the last year first."""

    people: tuple[Contributor, ...]
    tools: tuple[Tool, ...]
    commits: int
    newest: int  # seconds since 1970


def stranger(name: str, email: str, history: History) -> Contributor:
    """Somebody who has no commit yet."""
    taken = {one.slug for one in history.people} | RESERVED
    slug = _free(slug_of(name) or slug_of(email.partition("@")[0]), taken)
    noreply = email.casefold().endswith(NOREPLY)
    accounts = (f"github:{login_of(email.casefold())}",) if noreply else ()
    return Contributor(slug, name, () if noreply or not email else (email.casefold(),), accounts, 0, 0, 0)


def read(commits: Iterable[Commit]) -> History:
    """Everything that these commits claim about who made them."""
    seen = list(commits)
    newest = max((commit.author.when for commit in seen), default=0)
    people, tools = _People(newest), _Tools()
    for commit in seen:
        claims = messages.claims(commit)
        tools.add(claims)
        for claim in claims:
            if claim.channel == "author" and claim.kind == "person":
                people.add(claim, commit.author.when)
    return History(tuple(people.merged()), tuple(tools.counted()), len(seen), newest)


class _People:
    """One person for every set of identities that share a name, an address, or an account in GitHub's noreply addresses.

    A name that is such an account's login is that account's.
    """

    def __init__(self, newest: int) -> None:
        self._since = newest - YEAR
        self._root: dict[str, str] = {}
        self._seen: list[tuple[str, Claim, int]] = []

    def add(self, claim: Claim, when: int) -> None:
        marks = list(_marks(claim.name, claim.email.casefold()))
        for mark in marks:
            self._join(marks[0], mark)
        if marks:
            self._seen.append((marks[0], claim, when))

    def _find(self, mark: str) -> str:
        while self._root.setdefault(mark, mark) != mark:
            self._root[mark] = self._root[self._root[mark]]
            mark = self._root[mark]
        return mark

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._root[second] = first

    def merged(self) -> Iterator[Contributor]:
        self._join_logins()
        groups: dict[str, list[tuple[Claim, int]]] = {}
        for mark, claim, when in self._seen:
            groups.setdefault(self._find(mark), []).append((claim, when))
        rows = [self._one(rows) for rows in groups.values()]
        rows.sort(key=lambda one: (-one.recent, -one.commits, one.name))
        yield from _doubtful(_with_slugs(rows))

    def _join_logins(self) -> None:
        """`xhluca <1@example.com>` is `xhluca` of `xhluca@users.noreply.github.com`."""
        for mark in list(self._root):
            kind, _, login = mark.partition(":")
            if kind == "login" and len(login) >= SHORTEST_LOGIN and f"name:{login}" in self._root:
                self._join(mark, f"name:{login}")

    def _one(self, rows: list[tuple[Claim, int]]) -> Contributor:
        names = Counter(claim.name for claim, _ in rows if claim.name)
        mails = Counter(claim.email.casefold() for claim, _ in rows if claim.email)
        ordered = [mail for mail, _ in sorted(mails.items(), key=lambda row: (-row[1], row[0]))]
        logins = {f"github:{login_of(mail)}" for mail in ordered if mail.endswith(NOREPLY)}
        return Contributor(
            slug="",
            name=min(names, key=lambda name: (-names[name], name), default=""),
            emails=tuple(mail for mail in ordered if not mail.endswith(NOREPLY)),
            accounts=tuple(sorted(logins)),
            commits=len(rows),
            recent=sum(when >= self._since for _, when in rows),
            last=max(when for _, when in rows),
        )


def _marks(name: str, email: str) -> Iterator[str]:
    """What two identities of one person may share; the first one names the identity."""
    if name:
        yield f"name:{_plain(name)}"
    if email:
        yield f"mail:{email}"
    if email.endswith(NOREPLY):
        number, plus, _ = email.partition("+")
        yield f"login:{login_of(email)}"
        if plus and number.isdecimal():
            yield f"number:{number}"


def _with_slugs(rows: Iterable[Contributor]) -> Iterator[Contributor]:
    taken = set(RESERVED)
    for one in rows:
        slug = _free(slug_of(one.name) or slug_of(one.emails[0].partition("@")[0] if one.emails else ""), taken)
        taken.add(slug)
        yield one._replace(slug=slug)


def _doubtful(rows: Iterable[Contributor]) -> Iterator[Contributor]:
    """Each with those whose handles theirs meet: a login, the part of an address before its @, a name without its spaces."""
    people = list(rows)
    holders: dict[str, list[str]] = {}
    for one in people:
        for handle in _handles(one):
            holders.setdefault(handle, []).append(one.slug)
    for one in people:
        others = dict.fromkeys(slug for handle in sorted(_handles(one)) for slug in holders[handle])
        yield one._replace(perhaps=tuple(slug for slug in others if slug != one.slug))


def _handles(one: Contributor) -> set[str]:
    texts = [one.name, *(mail.partition("@")[0].partition("+")[0] for mail in one.emails)]
    texts += [account.partition(":")[2] for account in one.accounts]
    plain = {"".join(c for c in _plain(text) if c.isalnum()) for text in texts}
    words = _plain(one.name).split()
    return {text for text in plain if len(text) >= SHORTEST_LOGIN} - COMMON - set(words if len(words) > 1 else ())


def login_of(noreply: str) -> str:
    """The login in one of GitHub's noreply addresses, with or without the number in front."""
    return noreply.removesuffix(NOREPLY).rpartition("+")[2]


def _plain(name: str) -> str:
    return " ".join(normalize("NFKC", name).casefold().split())


def slug_of(name: str) -> str:
    """A name as the policy's tables may have it: ASCII letters and digits, dashes between; "" where none is left."""
    letters = normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    words = "".join(c if c.isalnum() else " " for c in letters).split()
    return "-".join(words)[:LONGEST_SLUG].strip("-")


def _free(slug: str, taken: AbstractSet[str]) -> str:
    base = slug or "person"
    number = 2
    name = base
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


class _Tools:
    """Agents and services, each counted once a commit."""

    def __init__(self) -> None:
        self._commits: Counter[tuple[str, str]] = Counter()
        self._models: dict[tuple[str, str], Counter[str]] = {}
        self._claims: dict[tuple[str, str], Claim] = {}

    def add(self, claims: Iterable[Claim]) -> None:
        found = {}
        for claim in claims:
            name = claim.tool or (claim.account.rpartition(":")[2] or claim.name if claim.kind == "service" else "")
            if claim.kind not in ("agent", "service") or not name:
                continue
            key = (claim.kind, name)
            found[key] = claim
            if claim.model:
                self._models.setdefault(key, Counter())[claim.model] += 1
            if key not in self._claims or (claim.account and not self._claims[key].account):
                self._claims[key] = claim
        self._commits.update(found.keys())

    def counted(self) -> Iterator[Tool]:
        for (kind, name), count in sorted(self._commits.items(), key=lambda row: (-row[1], row[0])):
            claim, models = self._claims[kind, name], self._models.get((kind, name), Counter())
            model = min(models, key=lambda text: (-models[text], text), default="")
            known = lineage.model(model) if model else lineage.Model("", claim.maker, claim.family)
            maker, family = known.maker or claim.maker, known.family or claim.family
            yield Tool(kind, name, maker, family, model, claim.account, count)
