"""docs/prompts.md: what is sent to model reviewers, word for word, from reviewers/prompts/."""

from typing import Final

from reviewers.prompt import NAMES, digest, prompt

_HEAD: Final = """\
<!-- Generated from reviewers/prompts/; edit there, then run `make docs`. -->

# Prompts

What model reviewers are told, word for word. `{{nonce}}` is the mark of one request: twelve hexadecimal digits that are made
anew for every request and that nobody can know before. Nothing of a change and nothing of its repository gets in here.
A review records the sha256 over all prompts, now `{digest}`; another text is another version of the
reviewer, and answers to an older one are not reused. How they are used: [judges.md](judges.md).
"""
_WHEN: Final = {
    "review": "The system message of every request.",
    "context": "Added to it in the second pass, the one that shows title, description, authors and commit messages.",
}


def pages() -> dict[str, str]:
    return {"prompts.md": "\n".join([_HEAD.format(digest=digest()), *map(_section, NAMES)])}


def _section(name: str) -> str:
    found = prompt(name)
    return f"## {name} {found.version}\n\n{_WHEN[name]} sha256 `{found.sha256}`.\n\n````text\n{found.text}````\n"
