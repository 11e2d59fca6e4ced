"""zizmor, an auditor of GitHub workflows, run as a process over the workflow files of a change.

Asked only where it is installed, about files alone, without network, configuration or credentials. What it finds in the old files
too is no finding of the change. Its failure is a finding; its silence is no evidence.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rules import paths, workflows
from rules.findings import Finding, Tier
from rules.rule import Blobs, visible

SLUG = "zizmor"
SECONDS = 10
MOST = 50  # files of one change
SERIOUS = frozenset({
    "dangerous-triggers", "template-injection", "github-env", "insecure-commands", "hardcoded-container-credentials", "bot-conditions",
    "unsound-condition", "unsound-contains", "known-vulnerable-actions", "impostor-commit", "cache-poisoning",
})  # fmt: skip


def findings(blobs: Sequence[Blobs], *, program: str | None = None) -> Iterator[Finding]:
    """What zizmor sees in the new workflow files and not in the old ones; nothing where no workflow changed or it is not there."""
    rows = [row for row in blobs if row.new is not None and workflows.is_workflow(paths.unquote(row.file.path))]
    tool = program or installed() if rows else None
    if tool is None:
        return
    if len(rows) > MOST:
        yield _failed(rows[0], f"zizmor was not asked: {len(rows)} workflow files changed")
        return
    try:
        yield from _audited(tool, rows)
    except (OSError, ValueError, KeyError, TypeError, IndexError, subprocess.SubprocessError) as error:
        yield _failed(rows[0], f"zizmor gave no answer: {type(error).__name__}")


def installed() -> str | None:
    """The program: beside our own interpreter, else on the PATH."""
    return shutil.which(SLUG, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))


def _audited(tool: str, rows: list[Blobs]) -> Iterator[Finding]:
    with TemporaryDirectory(prefix="twohand-") as name:
        room = Path(name).resolve()
        _write(room, rows)
        known = Counter(key for key, _ in _places(_before(tool, room / "old"), room / "old"))
        for key, place in _places(_run(tool, room / "new", "--strict-collection"), room / "new"):
            if known[key] > 0:
                known[key] -= 1
            else:
                yield _finding(rows[key[0]], key[1], place)


def _before(tool: str, room: Path) -> list[dict[str, Any]]:
    """What it finds in the old files; nothing where it cannot read them, so that all of the new counts as new."""
    try:
        return _run(tool, room) if room.exists() else []
    except subprocess.SubprocessError:
        return []


def _write(room: Path, rows: Iterable[Blobs]) -> None:
    """Every file under a name of ours: a path of the change never becomes a path of the disk."""
    for index, row in enumerate(rows):
        name = "action.yml" if b"workflows/" not in paths.unquote(row.file.path).lower() else "w.yml"
        for side, data in (("old", row.old), ("new", row.new)):
            inside = (".github", "workflows") if name == "w.yml" else ()
            target = room.joinpath(side, str(index), *inside, name)
            if data is not None:
                target.parent.mkdir(parents=True)
                target.write_bytes(data.replace(b"zizmor:", b"zizmor;"))  # who wrote the change does not silence it


def _run(tool: str, room: Path, *options: str) -> list[dict[str, Any]]:
    command = [
        tool,
        "--offline",
        "--no-progress",
        "--no-config",
        "--no-exit-codes",
        *options,
        "--format",
        "json",
        str(room),
    ]
    environment = {"PATH": os.defpath, "HOME": str(room), "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment, cwd=room, check=False)
    if done.returncode != 0:
        raise subprocess.SubprocessError(done.returncode)
    told = json.loads(done.stdout)
    if not isinstance(told, list):
        raise TypeError(told)
    return told


def _places(told: list[dict[str, Any]], room: Path) -> Iterator[tuple[tuple[int, str, str], dict[str, Any]]]:
    """(row, audit, first line) of every finding, and what to say of it."""
    for found in told:
        spots = [spot for spot in found["locations"] if spot["symbolic"].get("kind") == "Primary"] or found["locations"]
        concrete, given = spots[0]["concrete"], _given(spots[0]["symbolic"]["key"])
        index = Path(given).resolve().relative_to(room).parts[0]
        line = int(concrete["location"]["start_point"]["row"]) + 1
        feature = str(concrete.get("feature", "")).split("\n", 1)[0]
        yield (int(index), str(found["ident"]), feature), {"line": line, "text": str(found["desc"]), "feature": feature}


def _given(key: dict[str, Any]) -> str:
    """The path that zizmor was given."""
    local = key["Local"]
    return str(local.get("verbatim_path") or local["given_path"])


def _finding(row: Blobs, ident: str, place: dict[str, Any]) -> Finding:
    tier = Tier.HOLD if ident in SERIOUS else Tier.NOTE
    said = f"zizmor: {visible(place['text'].encode())} ({visible(ident.encode())})"
    return Finding(SLUG, tier, row.file.path, "new", place["line"], said, visible(place["feature"].encode()))


def _failed(row: Blobs, said: str) -> Finding:
    return Finding(SLUG, Tier.NOTE, row.file.path, "new", 0, f"{said}; that it says nothing is no evidence", "")
