"""docs/reasons.md: what every reason code means and what to do about it, from the table that all renderers read (law 41)."""

from typing import Final

from rules.reasons import CODES
from streams.sinks.render.words import ANY_FINDING, WORDS

_HEAD: Final = """\
<!-- Generated from streams/sinks/render/words.py; edit there, then run `make docs`. -->

# Reasons

Every reason in a decision has one of these codes, the subject and values that it speaks of, and where there is one the
command that helps. Codes are stable. Each rule of tier hold or block has its own: [rules](rules/README.md).
"""


def pages() -> dict[str, str]:
    return {"reasons.md": "\n".join([_HEAD, *map(_section, (*CODES, ANY_FINDING))])}


def _section(code: str) -> str:
    words = WORDS[code]
    return f"## {code}\n\n{words.means}\n\nWhat to do: {words.do}\n"
