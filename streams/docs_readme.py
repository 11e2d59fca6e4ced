"""The part of README.md that the demo writes: `python -m streams.docs_readme README.md`."""

import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from streams import demo

FIRST: Final = "<!-- the demo: written by `make docs` -->"
LAST: Final = "<!-- end of the demo -->"
WHOLE: Final = "2."  # the step that README shows whole
_STEP: Final = re.compile(r"^\d+\. ")
_COMMIT: Final = re.compile(r"\b[0-9a-f]{12}\b")


def excerpt(told: str) -> str:
    """Of the demo's output every heading, and one step whole."""
    kept: list[str] = []
    whole = False
    for line in told.splitlines():
        heading = bool(_STEP.match(line))
        if heading:
            kept += [""] if whole and kept and kept[-1] else []
            whole = line.startswith(WHOLE)
        if heading or (whole and line[:1] in ("", " ")):
            kept.append(line)
    return "\n".join(kept).strip("\n")


def block(readme: str) -> str:
    """What README shows now. ValueError where the marks are missing."""
    return (
        readme[readme.index(FIRST) + len(FIRST) : readme.index(LAST)]
        .strip("\n")
        .removeprefix("```text\n")
        .removesuffix("\n```")
    )


def masked(text: str) -> str:
    """Without what differs from run to run: commit ids, and the order of statements in a paragraph."""
    paragraphs = _COMMIT.sub("<commit>", text).split("\n\n")
    return "\n\n".join("\n".join(sorted(paragraph.split("\n"))) for paragraph in paragraphs)


def rewritten(readme: str, told: str) -> str:
    """README with the demo's output in it; the same text where only ids differ."""
    new = excerpt(told)
    if masked(block(readme)) == masked(new):
        return readme
    start, end = readme.index(FIRST) + len(FIRST), readme.index(LAST)
    return f"{readme[:start]}\n```text\n{new}\n```\n{readme[end:]}"


def told() -> str:
    """What the demo prints now. demo.StoryFailed where it does not come out as told."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="twohand-demo-") as root:
        demo.tell(Path(root), lines.append, quiet=False)
    return "\n".join(lines)


def main() -> None:
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text("utf-8"), told()), "utf-8")


if __name__ == "__main__":
    main()
