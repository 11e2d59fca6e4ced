"""How many commits a second are read for their makers, beside `git log` over the same history.

`python -m bench.messages` builds a history of 20,000 commits in a temporary repository with `git fast-import`, reads its
raw objects once with `git cat-file --batch`, and then measures parsing and claims alone, and `git log` as the anchor.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rules import commits, messages

COUNT = 20_000
BODY = "The cache kept an entry after its owner had gone.\nIt is dropped together with the session now, and a test says so.\n"
SHAPES = (
    ("Ann Example", "ann@example.org", "Drop stale entries\n"),
    ("Ben Example", "ben@example.org", f"Drop stale entries with their session\n\n{BODY}\n{BODY}"),
    ("Ann Example", "ann@example.org", f"Tidy up\n\n{BODY}\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>\n"),
    ("Cem Örnek", "cem@example.org", f"Überschrift neu\n\n{BODY}\nCo-authored-by: Ben Example <ben@example.org>\n"),
    ("dependabot[bot]", "1+dependabot[bot]@users.noreply.github.com", f"Bump a from 1 to 2\n\n{BODY}"),
    ("Ann Example", "ann@example.org", f"Sort names (#12)\n\n* one\n* two\n\n{BODY}\n💘 Generated with Crush\n"),
    ("Ben Example", "ben@example.org", f"Merge branch 'main' into topic\n\n{BODY}"),
    ("Dee Example", "dee@example.org", f"Read both forms\n\n{BODY}\nSigned-off-by: Dee Example <dee@example.org>\n"),
)


def history() -> Iterator[bytes]:
    """A fast-import stream in which every eighth commit or so names an agent."""
    for at in range(COUNT):
        name, email, text = SHAPES[at % len(SHAPES)]
        message = f"{at} {text}".encode()
        who = f"{name} <{email}> {1700000000 + at} +0000".encode()
        yield b"commit refs/heads/main\nauthor %s\ncommitter %s\ndata %d\n%s\n" % (who, who, len(message), message)


def objects(repo: Path) -> list[tuple[str, bytes]]:
    names = _git(repo, "rev-list", "main")
    data = _git(repo, "cat-file", "--batch", stdin=names)
    found = []
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        name, _, size = data[at:end].split()
        found.append((name.decode(), data[end + 1 : end + 1 + int(size)]))
        at = end + 2 + int(size)
    return found


def _git(repo: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", "-C", str(repo), *arguments], input=stdin, stdout=subprocess.PIPE, check=True).stdout


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder)
        _git(repo, "init", "-q", "-b", "main")
        _git(repo, "fast-import", "--quiet", stdin=b"".join(history()))
        raw = objects(repo)
        git = min(_seconds(lambda: _git(repo, "log", "--format=%H%x00%an%x00%ae%x00%B", "main")) for _ in range(3))
    ours = min(_seconds(lambda: [messages.claims(commits.parse(*pair)) for pair in raw]) for _ in range(3))
    parsed = min(_seconds(lambda: [commits.parse(*pair) for pair in raw]) for _ in range(3))
    print(f"parse + claims  {len(raw) / ours:9,.0f} commits/s")
    print(f"parse alone     {len(raw) / parsed:9,.0f} commits/s")
    print(f"git log         {len(raw) / git:9,.0f} commits/s  (ratio {git / ours:.2f})")


if __name__ == "__main__":
    main()
