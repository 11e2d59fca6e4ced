"""`twohand policy validate|show|schema`: what a policy file says, what is in force, and what may stand in it."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from rules import policy_shape
from rules.events import LawText
from rules.judgement import Law, read_laws
from rules.own.book import RulesInvalid
from rules.policy import Policy, dump
from rules.report import Problem
from streams import settings
from streams.commands import options
from streams.commands.options import HERE
from streams.desk import Desk
from streams.laws import FILE, PYPROJECT, built_in, laws
from streams.reach import doubts
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, Repository

VALID, INVALID = 0, 2


class Form(StrEnum):
    TOML = "toml"
    JSON = "json"


class Report(StrEnum):
    TEXT = "text"
    JSON = "json"


File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A twohand.toml or pyproject.toml; default: that of the working tree.", show_default=False)]  # fmt: skip
Formatted = Annotated[Form, typer.Option("--format", "-f", help="How to write it.")]
Reported = Annotated[Report, typer.Option("--format", "-f", help="How to write the result.")]


class NoPolicy(SourceError):
    """There is no file to look at."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The policy: who is who, and what a change must meet.", no_args_is_help=True)
    for command in (validate, show, schema):
        group.command(name=command.__name__)(command)
    app.add_typer(group, name="policy")


def schema() -> int:
    """Print the JSON Schema of twohand.toml."""
    print(json.dumps(policy_shape.json_schema(), indent=2))
    return 0


# -- validate ----------------------------------------------------------------------------------------------------------


def validate(
    file: File = None, *, where: options.Where = HERE, fmt: Reported = Report.TEXT, explicit: options.Settings = None
) -> int:
    """Check a policy file, and its directory of own rules.

    The directory is that of the working tree. Exit code 0 where it is valid, 2 with every mistake where it is not.
    """
    repo = _repository(where)
    text = _given(file) if file else _in_tree(repo, where)
    floor = _floor(repo, explicit)
    law = _with_rules(read_laws((*floor, text))[-1], repo)
    if fmt is Report.JSON:
        print(json.dumps(_as_data(law), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_problems(law) if law.policy is None else _praise(law.policy)))
    return VALID if law.policy else INVALID


def _with_rules(law: Law, repo: Repository | None) -> Law:
    """The policy, broken where its own rules are: nothing is admitted under it then."""
    directory = law.policy.rules.directory if law.policy else ""
    if not directory or repo is None or repo.work_tree is None:
        return law
    from streams.rulebook import NoRules, tried  # noqa: PLC0415 - few policies name own rules

    try:
        tried(repo.work_tree / directory)
    except RulesInvalid as invalid:
        return law._replace(policy=None, problems=tuple(invalid.problems))
    except NoRules as error:
        problem = Problem(law.text.source, 0, "rules.directory", f'"{directory}"', (), error.message)
        return law._replace(policy=None, problems=(problem,))
    return law


def _repository(where: Path) -> Repository | None:
    """A file can be checked outside of any repository."""
    try:
        return Repository.open(where)
    except SourceError:
        return None


def _floor(repo: Repository | None, explicit: Path | None) -> tuple[LawText, ...]:
    """The organisation's policy, whose names a repository's may use (law 36)."""
    if repo is None and explicit is None:
        return ()
    path = settings.load(explicit, repo.common_dir if repo else Path(), {}).floor
    return (LawText("floor", path, _text(Path(path))),) if path else ()


def _given(path: Path) -> LawText:
    form = "pyproject.toml" if path.name == "pyproject.toml" else "twohand.toml"
    return LawText("target", str(path), _text(path), form)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise NoPolicy(
            f"{path} cannot be read: {error.strerror}.",
            remedy="`twohand init` writes a first policy into a repository.",
        ) from error


def _in_tree(repo: Repository | None, where: Path) -> LawText:
    """The policy as it lies in the working tree; two of them are none (law 36)."""
    root = repo.work_tree if repo else where
    if root is None:
        raise NoPolicy("A bare repository has no file to check.", remedy="`twohand policy show` reads its branches.")
    own, project = (root / name.decode() for name in (FILE, PYPROJECT))
    in_project = project.is_file() and "[tool.twohand" in _text(project)
    if own.is_file() and in_project:
        problem = "both twohand.toml and [tool.twohand] in pyproject.toml are there: keep one"
        return LawText("target", str(own), "", problem=problem)
    if own.is_file() or in_project:
        return _given(own if own.is_file() else project)
    raise NoPolicy(
        f"There is no twohand.toml in {root}, and no [tool.twohand] in its pyproject.toml: the built-in policy holds.",
        remedy="`twohand init` writes a first one; `twohand policy show` prints what is in force.",
    )


def _problems(law: Law) -> Iterator[str]:
    yield from map(str, law.problems)
    count = len(law.problems)
    yield f"{law.text.source} is not valid: {count} mistake{'' if count == 1 else 's'}"


def _praise(policy: Policy) -> Iterator[str]:
    counted = (
        ("requirement", "requirements", policy.requirements),
        ("person", "people", policy.people),
        ("agent", "agents", policy.agents),
        ("service", "services", policy.services),
    )
    parts = [f"{len(rows)} {one if len(rows) == 1 else many}" for one, many, rows in counted]
    yield f"{policy.source} is valid: {', '.join(parts)}; digest {policy.digest[:12]}"
    yield from (f"note: {doubt}" for doubt in doubts(policy))


def _as_data(law: Law) -> dict[str, Any]:
    return {
        "schema": "twohand.policy-report/v1",
        "source": law.text.source,
        "valid": law.policy is not None,
        "digest": law.policy.digest if law.policy else None,
        "problems": [_problem(problem) for problem in law.problems],
        "notes": list(doubts(law.policy)) if law.policy else [],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return problem._asdict() | {"allowed": list(problem.allowed), "line": problem.line or None}


# -- show --------------------------------------------------------------------------------------------------------------


def show(
    *, where: options.Where = HERE, fmt: Formatted = Form.TOML, target: options.Target = None,
    explicit: options.Settings = None,
) -> int:  # fmt: skip
    """Print the policies that are in force.

    The organisation's floor, the default branch's and the target branch's, or the built-in one, never the working tree's.
    """
    with Desk.at(where, explicit=explicit) as desk:
        branch = target or desk.repo.default_branch()
        tip = desk.repo.resolve(branch) if branch and (target or desk.repo.exists(branch)) else ""
        found = read_laws(laws(desk.repo, desk.settings, branch or "", tip) if tip else (built_in(),))
    if fmt is Form.JSON:
        shown = {"schema": "twohand.policy/v1", "target": branch, "policies": [_law_data(law) for law in found]}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print("\n".join(line for law in found for line in _law_text(law, (branch or "").removeprefix(HEADS))))
    return VALID if all(law.policy for law in found) else INVALID


def _law_data(law: Law) -> Mapping[str, Any]:
    return {
        "role": law.text.role,
        "source": law.text.source,
        "digest": law.policy.digest if law.policy else None,
        "policy": dump(law.policy) if law.policy else None,
        "problems": [_problem(problem) for problem in law.problems],
    }


_ROLES = {
    "floor": "the organisation's floor",
    "default": "the default branch's policy",
    "target": "the target branch's policy",
    "built-in": "no branch has a policy: the built-in one holds (`twohand init` writes a first one)",
}


def _law_text(law: Law, branch: str) -> Iterator[str]:
    state = f"digest {law.policy.digest}" if law.policy else "NOT VALID: every change is blocked"
    yield f"# {law.text.source}: {_ROLES[law.text.role]}, for changes to {branch or 'any branch'}"
    yield f"# {state}"
    yield from (f"# {problem}" for problem in law.problems)
    yield (
        "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in law.text.text.rstrip("\n")) + "\n"
    )
