"""docs/attacks.md, written from the table: `python -m tests.attacks.page > docs/attacks.md`."""

import sys
from collections.abc import Iterator

from streams.selftest.case import Case
from streams.selftest.cases import CASES

HEAD = """# Attacks: `twohand selftest`

`twohand selftest` attacks a gate of your own installation: this interpreter, these packages, your git, your `sh`. For each
case it makes a bare repository, installs the hooks there as `twohand hook install --server` does, and pushes to it. Nothing
outside a temporary directory is touched, and no network is used.

```
twohand selftest                        # all of it: about a minute on two cores
twohand selftest -v                     # each case as it ends
twohand selftest --only route           # those whose name begins so
twohand selftest --format json
```

Exit code 1 names every case that went another way than the law asks: an attack that got through, one that was refused for
another reason than its own, honest work that was refused.

What it cannot show: somebody who may write the files of the server's repository, or who has a stolen key, needs no attack
([LIMITS.md](../LIMITS.md)). It tests a fresh gate with a policy of its own; whether the hooks of *your* repository are
effective is for `twohand hook status` and `twohand doctor`.

Every line below runs in `tests/attacks/`, too; this page is written from the same table.
"""
TITLES = {
    "route": "Ways into a protected branch",
    "object": "Objects that no ordinary git makes",
    "order": "Orders of events",
    "variable": "What the environment tells the hook",
    "certificate": "Signed pushes",
    "broken": "A gate that cannot judge",
    "identity": "Who approves",
    "operator": "Who stands behind an agent",
    "session": "One session",
    "model": "One model",
    "family": "One make",
    "laundered": "Marks that are dropped",
    "agent": "Agents in a person's place",
    "presence": "A touch that is asked for",
    "silence": "Saying nothing",
    "grade": "Weak evidence",
    "content": "Other content than was approved",
    "owned": "Owned paths",
    "weakened": "Checks that go",
    "unread": "What cannot be read",
    "letter": "Forged, misnamed and deleted statements",
    "veto": "Objections",
    "policy": "The law itself",
    "waiver": "Waivers",
    "glass": "Break-glass",
    "honest": "Honest work, which has to land",
}


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD, *_sections()))


def _sections() -> Iterator[str]:
    for group, title in TITLES.items():
        yield f"## {title}\n\n| case | what is tried | route | answer | law |\n|---|---|---|---|---|"
        yield from (_row(case) for case in CASES if case.name.startswith(f"{group}-"))
        yield ""


def _row(case: Case) -> str:
    answer = f"refused: `{case.reason}`" if case.reason else "admitted"
    return f"| {case.name} | {_cell(case.title)} | {_cell(case.route)} | {_cell(answer)} | {case.article} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
