"""`twohand selftest`: attacks on a gate of this very installation, and honest work that it has to let pass."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import VERSION
from streams.commands import options
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.selftest.case import Case
    from streams.selftest.runner import Result

FAILED = 1
SCHEMA = "twohand.selftest/v1"

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Only cases whose name begins so; repeatable.", show_default=False),
]


class NoCase(SourceError):
    """No case has such a name."""


def register(app: typer.Typer) -> None:
    app.command(name="selftest")(selftest)


def selftest(
    *, only: Only = None, fmt: options.AsPage = options.Paged.TEXT, quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:  # fmt: skip
    """Attack a gate of this installation.

    In a temporary directory. Each case makes a repository with our hooks and pushes to it: what the law refuses has to be refused, for its own reason,
    and honest work has to land. Nothing outside the temporary directory is touched. Exit code 1 where a case goes wrong.
    """
    from streams.selftest.runner import run  # noqa: PLC0415

    began = time.monotonic()
    cases = _chosen(only or [])
    results = []
    for result in run(cases):
        results.append(result)
        _progress(len(results), len(cases), result, verbose=verbose)
    if fmt is options.Paged.JSON:
        print(json.dumps(_record(results), indent=2))
    else:
        print("\n".join(_text(results, time.monotonic() - began, quiet=quiet)))
    return FAILED if any(result.problem for result in results) else 0


def _chosen(only: Sequence[str]) -> list["Case"]:
    from streams.selftest.cases import CASES  # noqa: PLC0415

    for name in only:
        if not any(case.name.startswith(name) for case in CASES):
            groups = ", ".join(dict.fromkeys(case.name.partition("-")[0] for case in CASES))
            raise NoCase(f"No case begins with {name!r}.", remedy=f"Names begin with one of {groups}.")
    return [case for case in CASES if not only or case.name.startswith(tuple(only))]


def _progress(done: int, total: int, result: "Result", *, verbose: bool) -> None:
    """A line for each case where they are asked for, else one that counts where somebody watches."""
    if verbose:
        word = "WRONG" if result.problem else "ok"
        print(
            f"{word:5} {result.case.name:26} {result.seconds:4.1f}s  {result.case.title}", file=sys.stderr, flush=True
        )
    elif sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} cases", end=end, file=sys.stderr, flush=True)


def _text(results: Sequence["Result"], seconds: float, *, quiet: bool) -> Iterator[str]:
    wrong = [result for result in results if result.problem]
    for result in wrong:
        yield from _wrong(result)
    refused = sum(1 for result in results if result.case.reason)
    if wrong:
        yield f"{len(wrong)} of {len(results)} cases went another way than the law asks: do not trust this gate."
    elif not quiet:
        honest = len(results) - refused
        yield f"Attacks refused: {refused}. Honest pushes admitted: {honest}. ({seconds:.0f} s, twohand {VERSION})"


def _wrong(result: "Result") -> Iterator[str]:
    case = result.case
    yield f"{case.name}: {case.title}"
    yield f"  route     {case.route}"
    yield f"  expected  {case.expected}, law {case.article}"
    yield f"  happened  {result.problem}"
    yield f"  again     twohand selftest --only {case.name}"
    yield ""


def _record(results: Sequence["Result"]) -> dict[str, object]:
    rows = [
        {
            "name": result.case.name,
            "title": result.case.title,
            "route": result.case.route,
            "article": result.case.article,
            "expected": result.case.expected,
            "reason": result.case.reason or None,
            "ok": not result.problem,
            "problem": result.problem or None,
            "seconds": round(result.seconds, 3),
            "said": result.said,
        }
        for result in results
    ]
    return {"schema": SCHEMA, "version": VERSION, "ok": not any(result.problem for result in results), "cases": rows}
