"""Samples labelled changes by what their messages say: `python -m bench.sample MIRROR_DIR KNOWN.jsonl... > rows.jsonl`.

Of every repository at MIRROR_DIR/owner+name/repo: up to 60 ordinary commits of its last five years whose messages speak of nothing secure,
those with an AI's mark as `benign-ai`, and up to 25 commits whose message names a vulnerability and that touch at most six files of code.
Commits of the KNOWN rows are left out. Nobody has read them: the label is the message's (`label` = "message"). The same every time.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rules import kinds
from rules.kinds import Kind
from rules.patterns import found

SEED = 20261121
ORDINARY, FIXES, FILES, YEARS = 60, 25, 6, 5
_SPEAKS = rb"(?i)secur|cve-|ghsa|vulnerab|auth|revert|xss|csrf|inject|bypass|permission|sanitiz|escap|exploit|traversal|disclos|privilege"
_FIXES = (
    rb"(?i)CVE-\d{4}-\d+|GHSA-\w{4}|\bXSS\b|CSRF|security (?:fix|issue|vulnerab|bug|hole|flaw)|vulnerabilit|\bSSRF\b|open redirect|"
    rb"path traversal|directory traversal|privilege escalation|auth(?:entication)? bypass|timing attack|information (?:leak|disclosure)"
)
_OTHERWISE = rb"(?i)bump|upgrade|update dependenc|dependabot|renovate|changelog|release|advisory|docs?:|readme|merge (?:branch|pull)|codeql|scan|audit|pip-|npm|version|test"
_AI = rb"(?i)co-authored-by:.*(?:claude|copilot|cursor|codex|gemini|devin|crush)|generated with .*(?:claude|crush)"
_LANGUAGES = {
    "csharp": "C#",
    "php": "PHP",
    "cpp": "C++",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "tsx": "TypeScript",
}
Row = dict[str, str]


def _git(directory: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(directory), *words], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")


def rows(name: str, directory: Path, known: frozenset[str]) -> Iterator[Row]:
    """The sample of one repository."""
    log = _git(directory, "log", "--no-merges", "--min-parents=1", "--format=%H%x00%ct%x00%B%x01", "HEAD")
    split = [entry.strip("\n").split("\0") for entry in log.split("\x01") if entry.count("\0") == 2]
    commits = [(commit, int(at), message.encode()) for commit, at, message in split if commit not in known]
    since = max((at for _, at, _ in commits), default=0) - YEARS * 365 * 86400
    ordinary = [(commit, message) for commit, at, message in commits if at > since and not found(_SPEAKS, message)]
    chooser = random.Random(f"{SEED} {name}")
    for commit, message in chooser.sample(ordinary, min(ORDINARY, len(ordinary))):
        yield {
            "repo": name,
            "commit": commit,
            "kind": "benign-ai" if found(_AI, message) else "benign",
            "label": "message",
        }
    fixes = [
        commit for commit, _, text in commits if found(_FIXES, text) and not found(_OTHERWISE, text.split(b"\n", 1)[0])
    ]
    yield from _fixes(name, directory, chooser.sample(fixes, len(fixes)))


def _fixes(name: str, directory: Path, commits: list[str]) -> Iterator[Row]:
    count = 0
    for commit in commits:
        paths = _git(directory, "diff-tree", "-r", "--no-commit-id", "--name-only", commit).encode().split(b"\n")
        code = [path for path in paths if kinds.language(path) and kinds.classify(path) is Kind.PRODUCTION]
        if code and len(code) <= FILES and count < FIXES:
            count += 1
            language = kinds.language(code[0])
            shown = _LANGUAGES.get(language, language.capitalize())
            yield {"repo": name, "commit": commit, "kind": "security-fix", "language": shown, "label": "message"}


def main() -> None:
    """Write the rows of all repositories to standard output."""
    mirrors, *files = (Path(word) for word in sys.argv[1:])
    known = frozenset(json.loads(line)["commit"] for path in files for line in path.read_text().splitlines() if line)
    for directory in sorted(mirrors.glob("*/repo")):
        for row in rows(directory.parent.name.replace("+", "/", 1), directory, known):
            print(json.dumps(row))


if __name__ == "__main__":
    main()
