"""docs/cases.md, written from the table: `python -m tests.acceptance.page > docs/cases.md`."""

import sys
from collections.abc import Iterator

from tests.acceptance.case import Case
from tests.acceptance.cases import CASES, ELSEWHERE

HEAD = """# Cases

What a change, its authors and its reviewers may try, and what the law answers. Every line runs in
`tests/acceptance/test_cases.py`: through the real command, on a real git repository, with real `ssh-keygen` signatures.
This page is written from that table.

Sources: `gates` is a study of merge gates and approval policies (forty cases), `bypass` are the ways around two open gates
that it reproduced, `peers` are the black-box cases of a study of direct peers, `near` is what an attacker would try beside them.
"""
TITLES = {"gates": "Merge gates", "bypass": "Reproduced bypasses", "peers": "Direct peers", "near": "Near them"}


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD, *_sections(), *_differing(), *_elsewhere()))


def _sections() -> Iterator[str]:
    for source, title in TITLES.items():
        rows = [case for case in CASES if case.id.startswith(f"{source}-")]
        yield f"## {title}\n\n| case | what happens | answer | reasons | law |\n|---|---|---|---|---|"
        yield from map(_row, rows)
        yield ""


def _row(case: Case) -> str:
    reasons = ", ".join(f"`{code}`" for code in sorted(case.codes)) or "none"
    return f"| {case.id} | {_cell(case.title)} | {case.outcome} | {reasons} | {case.article} |"


def _differing() -> Iterator[str]:
    yield "## Answered otherwise than the source expects\n"
    yield from (f"- **{case.id}** ({case.outcome}): law {case.differs}." for case in CASES if case.differs)
    yield ""


def _elsewhere() -> Iterator[str]:
    yield "## Shown elsewhere\n\n| case | what happens | where |\n|---|---|---|"
    yield from (f"| {case.id} | {_cell(case.title)} | {_cell(case.where)} |" for case in ELSEWHERE)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
