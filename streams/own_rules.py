"""Own rules of a repository, read from branches and never from the change itself (law 29, 36)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rules.events import LawText
from rules.judgement import read_laws
from rules.report import Invalid
from rules.rule import Rule
from streams.sources.errors import SourceError
from streams.sources.git import Repository

if TYPE_CHECKING:
    from rules.own.book import RuleFile

MOST_FILES = 200  # of own rules in one directory
LARGEST = 1 << 20  # bytes of one of them
Branch = tuple[str, str]  # a branch's short name and its commit


class OwnRules(NamedTuple):
    """The rules; the policies, where a broken rule file makes one broken; and what was read, for the record."""

    rules: tuple[Rule, ...] = ()
    texts: tuple[LawText, ...] = ()
    read_from: tuple[str, ...] = ()


class BrokenRules(SourceError):
    """A directory of own rules that cannot be used."""


def own_rules(repo: Repository, texts: tuple[LawText, ...], trees: Mapping[str, Branch], target: Branch) -> OwnRules:
    """The rules that each policy's directory holds in its own branch and in the target.

    `trees` is where the policy of each role was read. The floor's directory is the target's, and may be absent there.
    """
    laws = read_laws(texts)
    if not any(law.policy and law.policy.rules.directory for law in laws):
        return OwnRules(texts=texts)
    from rules.own.book import digest, rules_of  # noqa: PLC0415 - few policies name own rules

    rules: dict[tuple[RuleFile, ...], tuple[Rule, ...]] = {}
    told: list[LawText] = []
    seen: dict[str, None] = {}
    for text, law in zip(texts, laws, strict=True):
        directory = law.policy.rules.directory if law.policy else ""
        try:
            for branch in dict.fromkeys((trees.get(text.role, target), target)) if directory else ():
                files = rule_files(repo, branch, directory, needed=branch == trees.get(text.role))
                rules[files] = rules_of(files)
                seen[f"{branch[0]}:{directory} ({digest(files)})"] = None
        except (Invalid, SourceError) as error:
            told.append(text._replace(problem=_words(error)))
        else:
            told.append(text)
    found = tuple(rule for some in rules.values() for rule in some)
    return OwnRules(found, tuple(told), tuple(seen))


def _words(error: Invalid | SourceError) -> str:
    return error.message if isinstance(error, SourceError) else "\n".join(map(str, error.problems[:20]))


def rule_files(repo: Repository, branch: Branch, directory: str, *, needed: bool) -> "tuple[RuleFile, ...]":
    """The TOML files of a directory in a commit, by name. Errors: BrokenRules, where none is there and one is needed."""
    from rules.own.book import RuleFile  # noqa: PLC0415

    name, commit = branch
    where = f"{name}:{directory}"
    folder = directory.encode("utf-8", "surrogateescape")
    listed = repo.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", folder + b"/").out.split(b"\0")[:-1]
    rows = [entry.partition(b"\t")[::2] for entry in listed]
    paths = [path for meta, path in rows if path.lower().endswith(b".toml")]
    odd = [path for meta, path in rows if path in paths and not meta.startswith(b"100")]
    if odd:
        raise BrokenRules(f"{where} holds {odd[0].decode('utf-8', 'replace')}, which is no plain file.", remedy=_REMEDY)
    if not paths and needed:
        raise BrokenRules(f"[rules] directory names {where}, which holds no .toml file.", remedy=_REMEDY)
    if len(paths) > MOST_FILES:
        raise BrokenRules(f"{where} holds {len(paths)} files, more than {MOST_FILES}.", remedy=_REMEDY)
    found = repo.tree_blobs(commit, paths, limit=LARGEST) if paths else {}
    return tuple(RuleFile(f"{name}:{path.decode('utf-8', 'replace')}", data or b"") for path, data in found.items())


_REMEDY = "Repair the directory of own rules, or the policy that names it; `twohand rules test` tries them."
