"""What a repository shows to somebody who has no policy yet: people, keys, agents, owners, security paths."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rules import commits as commit_objects
from rules import globs, hands, owners, paths
from rules.kinds import Kind, classify
from rules.sshkeys import key_of, key_text
from streams import contributors
from streams.contributors import Contributor, History
from streams.first_policy import FoundKey, Shown
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, ORIGIN, Repository

MOST_COMMITS = 5_000  # newest first
MOST_PATHS = 200_000
MOST_AREAS = 30
MOST_NAMES = 3  # file names of one short word
MOST_KEYS = 5  # of the one who runs this
LARGEST_COMMIT = 1 << 20  # bytes
LARGEST_SIGNERS = 1 << 20
SIGNERS = frozenset((b"allowed_signers", b".allowed_signers", b"allowed-signers"))
WIDE = frozenset({
    "login", "session", "sessions", "password", "passwords", "recovery", "payment", "payments", "billing", "checkout",
    "crypto", "credential", "credentials", "permission", "permissions", "oauth", "oauth2", "webauthn", "csrf", "signup",
    "impersonate", "impersonation", "passkey", "passkeys", "encryption", "payout", "payouts", "refund", "refunds",
})  # fmt: skip
SHORT = frozenset({
    "auth", "authn", "authz", "authentication", "authorization", "otp", "totp", "mfa", "2fa", "sso", "jwt", "acl",
    "rbac", "saml", "oidc", "hmac", "reset", "logout", "secrets", "vault",
})  # fmt: skip
WORDS = WIDE | SHORT


class Area(NamedTuple):
    """Paths that decide who is let in or where money goes; `example` is one of them, in git's quoted form."""

    glob: str
    files: int
    example: str


class Survey(NamedTuple):
    """`notes` say what was not read or not used."""

    shown: Shown
    areas: tuple[Area, ...]
    truncated: bool
    notes: tuple[str, ...]


def survey(repo: Repository) -> Survey:
    """Look at a repository; one without commits shows its remote and the one who runs this."""
    tip = _tip(repo)
    history, truncated = _history(repo, tip)
    history, me = _with_me(repo, history)
    files = _files(repo, tip)
    areas = tuple(_areas(files))
    keys, notes = _keys(repo, tip, files, history, me)
    name, named, more = _owners(repo, tip)
    shown = Shown(
        history, repository=_repository(repo), protect=_protect(repo), keys=keys, me=me,
        areas=tuple(area.glob for area in areas), owners_file=name, owners_named=named,
    )  # fmt: skip
    if len(files) == MOST_PATHS:
        notes.append(f"only the first {MOST_PATHS} paths were looked at")
    return Survey(shown, areas, truncated, (*notes, *more))


def _tip(repo: Repository) -> str:
    """What lies checked out, else the default branch; "" without commits."""
    for name in filter(None, ("HEAD", repo.default_branch())):
        try:
            return repo.resolve(name)
        except SourceError:
            continue
    return ""


def _history(repo: Repository, tip: str) -> tuple[History, bool]:
    """The newest commits, and whether there are more."""
    ids = repo.run("rev-list", f"--max-count={MOST_COMMITS + 1}", tip, "--").out.decode("ascii").split() if tip else []
    with repo.cat_file() as objects:
        read = objects.read(ids[:MOST_COMMITS], LARGEST_COMMIT)
        history = contributors.read(commit_objects.parse(row.id, row.data) for row in read if row.data is not None)
    return history, len(ids) > MOST_COMMITS


def _with_me(repo: Repository, history: History) -> tuple[History, str]:
    """The history, with whoever git says is at the keyboard, and their slug; "" where that is no person."""
    name, email = repo.config("user.name"), repo.config("user.email").casefold()
    if not email or any(claim.kind != "person" for claim in hands.identity(name, email)):
        return history, ""
    account = f"github:{contributors.login_of(email)}"
    for one in history.people:
        if email in one.emails or (email.endswith(contributors.NOREPLY) and account in one.accounts):
            return history, one.slug
    me = contributors.stranger(name, email, history)
    return history._replace(people=(*history.people, me)), me.slug


def _repository(repo: Repository) -> str:
    return repository_of(repo.config("remote.origin.url"))


def repository_of(url: str) -> str:
    """`owner/name` of a remote's address; "" for a path, and never a user, a password or a host."""
    host, colon, path = url.partition(":")
    if "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        path = parts.path if parts.scheme in ("https", "http", "ssh", "git", "git+ssh") else ""
    elif not colon or "/" in host or len(host) < 2:
        return ""
    name = path.strip("/").removesuffix(".git").lstrip("~")
    fits = name.isascii() and len(name) <= 200 and not set(name) - _OF_A_NAME
    return name if "/" in name and fits and not {"", ".", ".."} & set(name.split("/")) else ""


_OF_A_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+~")


def _protect(repo: Repository) -> tuple[str, ...]:
    """The default branch, and release branches where there are some."""
    default = (repo.default_branch() or "").removeprefix(HEADS).removeprefix(ORIGIN)
    found = [default] if default else []
    families = ("release", "releases", "maintenance")
    found += [f"{name}/**" for name in families if repo.refs(HEADS + name) or repo.refs(ORIGIN + name)]
    return tuple(filter(_is_ref, found))


def _is_ref(text: str) -> bool:
    try:
        globs.checked_ref(text)
    except ValueError:
        return False
    return text.encode("utf-8", "replace").decode() == text


def _files(repo: Repository, tip: str) -> list[bytes]:
    if not tip:
        return []
    return repo.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tip).out.split(b"\0")[:-1][:MOST_PATHS]


# -- security paths ----------------------------------------------------------------------------------------------------


def _areas(files: list[bytes]) -> Iterator[Area]:
    """Globs of what speaks of login, recovery, second factors or money: those of most files first, each for files of its own."""
    code = [path for path in files if classify(path) is Kind.PRODUCTION]
    patterns = _few_names(dict.fromkeys(glob for path in code for glob in _globs(path)))
    found = [(glob, globs.compiled((glob,)).matching(code)) for glob in patterns]
    found.sort(key=lambda row: (-len(row[1]), row[0]))
    covered: frozenset[int] = frozenset()
    kept = 0
    for glob, hits in found:
        if hits - covered and kept < MOST_AREAS:
            kept += 1
            covered |= hits
            yield Area(glob, len(hits), paths.quote(code[min(hits)]))


def _few_names(patterns: Iterable[str]) -> list[str]:
    """At most so many single file names of one short word; wide patterns all."""
    count: dict[str, int] = {}
    kept = []
    for glob in patterns:
        word = next((word for word in _words(glob) if word.lower() in WORDS), glob).lower()
        count[word] = count.get(word, 0) + ("*" not in glob.removeprefix("**/"))
        if count[word] <= MOST_NAMES or "*" in glob.removeprefix("**/"):
            kept.append(glob)
    return kept


def _globs(path: bytes) -> Iterator[str]:
    """Patterns for a path's directories and name. Only ASCII words of our own lists, in the case that stands there."""
    *directories, name = path.decode("utf-8", "replace").split("/")
    yield from (f"**/{part}/**" for part in directories if part.lower() in WORDS and part.isascii())
    for word in _words(name):
        if word.lower() in WIDE:
            yield f"**/*{word.removesuffix('s')}*"
        elif word.lower() in WORDS and not set(name) - _OF_A_NAME:
            yield f"**/{name}"


def _words(name: str) -> list[str]:
    """`LoginController.java` -> Login, Controller, java."""
    out: list[str] = []
    last = ""
    for character in name:
        if not (character.isascii() and character.isalnum()):
            last = ""
            continue
        if not last or (character.isupper() and last.islower()):
            out.append(character)
        else:
            out[-1] += character
        last = character
    return out


# -- owners ------------------------------------------------------------------------------------------------------------


def _owners(repo: Repository, tip: str) -> tuple[str, tuple[str, ...], list[str]]:
    """The owners file, whom it names, and its problems."""
    if not tip:
        return "", (), []
    try:
        found = repo.tree_blobs(tip, [name.encode() for name in owners.LOCATIONS], limit=owners.LIMIT)
    except SourceError as error:
        return "", (), [error.message]
    for name, data in found.items():
        if data is not None:
            file = owners.parse(data, name.decode())
            named = dict.fromkeys(owner for rule in file.rules for owner in rule.owners)
            return (
                file.name,
                tuple(named),
                [f"{len(file.problems)} lines of {file.name} need a look: twohand owners"] * bool(file.problems),
            )
    return "", (), []


# -- keys --------------------------------------------------------------------------------------------------------------


def _keys(
    repo: Repository, tip: str, files: list[bytes], history: History, me: str
) -> tuple[dict[str, tuple[FoundKey, ...]], list[str]]:
    """Keys by slug; each key belongs to the first person for whom it was found."""
    found: dict[str, dict[str, FoundKey]] = {}
    taken: dict[str, str] = {}
    notes: list[str] = []
    rows = [*((me, row) for row in _my_keys(repo) if me), *_listed(repo, tip, files, history.people, notes)]
    for slug, (text, where) in rows:
        line = key_of(text).line
        if taken.setdefault(line, slug) != slug:
            notes.append(f"a key in {where} for {slug} is already that of {taken[line]}: it was left out")
        else:
            found.setdefault(slug, {}).setdefault(line, FoundKey(text, where))
    return {slug: tuple(keys.values()) for slug, keys in found.items()}, notes


def _my_keys(repo: Repository) -> list[tuple[str, str]]:
    """git's user.signingKey where it is an SSH key, else what lies in ~/.ssh."""
    named = repo.config("user.signingkey")
    literal = named.removeprefix("key::")
    if literal.startswith(("ssh-", "ecdsa-", "sk-")):
        return list(_usable([(literal, "git's user.signingKey")]))
    if named:
        path = Path(named.removesuffix(".pub") + ".pub").expanduser()
        if mine := list(_usable(_first_line(path, f"git's user.signingKey, {path}"))):
            return mine
    home = Path("~/.ssh").expanduser()
    listed = sorted(home.glob("*.pub")) if home.is_dir() else []
    return list(_usable(row for path in listed for row in _first_line(path, str(path))))[:MOST_KEYS]


def _first_line(path: Path, where: str) -> list[tuple[str, str]]:
    try:
        text = path.read_text("utf-8", "replace") if path.stat().st_size < 1 << 16 else ""
    except OSError:
        return []
    return [(text.strip().partition("\n")[0].strip(), where)]


def _usable(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Those that a policy takes, in its spelling."""
    for text, where in rows:
        try:
            yield key_text(key_of(text)), where
        except ValueError:
            continue


def _listed(
    repo: Repository, tip: str, files: list[bytes], people: Iterable[Contributor], notes: list[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Keys of people whom a file of allowed signers names by exactly their address."""
    slugs = {email: one.slug for one in people for email in one.emails}
    for name, data in _signers(repo, tip, files):
        unused = 0
        for line in data.decode("utf-8", "replace").splitlines():
            names, text = split_signer(line)
            known = sorted({slugs[email] for email in names if email in slugs})
            usable = list(_usable([(text, name)])) if text else []
            unused += bool(text) and not (known and usable)
            yield from ((slug, row) for slug in known for row in usable)
        if unused:
            notes.append(f"{unused} lines of {name} were not used: nobody here, or no key that may sign for twohand")


def split_signer(line: str) -> tuple[list[str], str]:
    """The addresses (lower case) and the rest of a line of allowed signers; nothing of a comment or a broken line."""
    text = line.strip()
    if not text or text.startswith("#"):
        return [], ""
    if text.startswith('"'):
        names, _, rest = text[1:].partition('"')
    else:
        names, _, rest = text.replace("\t", " ").partition(" ")
    return [name.strip().casefold() for name in names.split(",")], rest.strip()


def _signers(repo: Repository, tip: str, files: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Files of allowed signers in the tree, and the one that git is configured with."""
    inside = [path for path in files if path.rpartition(b"/")[2].lower() in SIGNERS][:10]
    for path in inside:
        try:
            data = repo.tree_blob(tip, path, limit=LARGEST_SIGNERS)
        except SourceError:
            continue
        if data is not None:
            yield paths.quote(path), data
    configured = repo.config("gpg.ssh.allowedSignersFile")
    file = Path(configured).expanduser() if configured else None
    if file and file.is_file() and file.stat().st_size < LARGEST_SIGNERS and os.access(file, os.R_OK):
        yield str(file), file.read_bytes()
