"""What is sent to a model: prompts of ours, then the change row by row behind a mark that nobody could know before."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from reviewers import shown
from reviewers.judging import Context, Endpoint, Mode
from reviewers.prompt import prompt
from reviewers.redaction import Redactor
from reviewers.sheets import MARK, Sheet

EVERY = 8_000  # characters of rows between two marks
TOKEN = 3  # bytes that a token has at least, on average, in code
SAID = 20_000  # characters of the context that are shown
FINDING: dict[str, Any] = {
    "path": {"type": "string"},
    "side": {"type": "string", "enum": ["old", "new"]},
    "line": {"type": "integer"},
    "quote": {"type": "string"},
    "severity": {"type": "string", "enum": ["note", "hold"]},
    "message": {"type": "string"},
}
ANSWER: dict[str, Any] = {
    "nonce": {"type": "string"},
    "marks": {"type": "array", "items": {"type": "string"}},
    "verdict": {"type": "string", "enum": ["approve", "object", "abstain"]},
    "reason": {"type": "string"},
    "findings": {"type": "array", "items": {}},
}


class Request(NamedTuple):
    """One request of one pass. `payload` is its JSON body, `sha256` that of the body, 64 hex digits."""

    blind: bool
    part: int  # from 1
    parts: int
    nonce: str
    marks: tuple[str, ...]  # words between the rows, which only who was given all rows can repeat
    sheet: Sheet
    payload: Mapping[str, Any]
    sha256: str
    tokens: int  # estimated


class Asked(NamedTuple):
    """A pass over all parts of a change."""

    requests: tuple[Request, ...]
    redactions: int  # in the context; those of the change are counted where it is read

    @property
    def tokens(self) -> int:
        return sum(request.tokens for request in self.requests)


def asked(parts: tuple[Sheet, ...], endpoint: Endpoint, seed: str, context: Context | None = None) -> Asked:
    """The requests of a pass: without context the blind one. `seed` is secret and fresh for every review."""
    redactor = Redactor()
    said = _said(context, redactor) if context else ()
    made = (_request((part, said), endpoint, seed, (at, len(parts))) for at, part in enumerate(parts, 1))
    return Asked(tuple(made), redactor.count)


def _request(shows: tuple[Sheet, tuple[str, ...]], endpoint: Endpoint, seed: str, place: tuple[int, int]) -> Request:
    sheet, said = shows
    blind = not said
    secret = f"{seed} {'blind' if blind else 'context'} {place[0]}"
    nonce = sha256(secret.encode()).hexdigest()[:MARK]
    text, marks = _marked([*_rows(sheet, said)], nonce, secret)
    system = prompt("review").text if blind else prompt("review").text + "\n" + prompt("context").text
    head = f"Request {nonce}, part {place[0]} of {place[1]} of the change."
    user = f"{head}\n{text}\nEnd of request {nonce}. Answer with one JSON object."
    payload = {
        "model": endpoint.model,
        "messages": [
            {"role": "system", "content": system.replace("{nonce}", nonce)},
            {"role": "user", "content": user},
        ],
        "max_completion_tokens": endpoint.limits.tokens_out,
        **_format(endpoint.mode),
    }
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Request(blind, *place, nonce, marks, sheet, payload, sha256(body).hexdigest(), len(body) // TOKEN + 1)


def _rows(sheet: Sheet, said: tuple[str, ...]) -> Iterator[str]:
    """The rows, without the mark of the request before them."""
    for text in said:
        yield f"said {text}"
    before = ""
    for leaf in sheet:
        yield f"{leaf.heading}{', continued' if not leaf.first and leaf.path != before else ''}"
        before = leaf.path
        for row in leaf.rows:
            yield f"{row.label}|{row.text}"


def _marked(rows: Sequence[str], nonce: str, secret: str) -> tuple[str, tuple[str, ...]]:
    """All rows behind the nonce, with a word of four hex digits before the first, behind the last, and now and then between.

    Some endpoints drop the beginning or the middle of a long request without a word; what was dropped cannot be repeated.
    """
    ends = list(accumulate(len(row) + MARK + 2 for row in rows))
    places = [0, *(at for at in range(1, len(rows)) if ends[at - 1] // EVERY < ends[at] // EVERY), len(rows)]
    words = tuple(sha256(f"{secret} mark {at}".encode()).hexdigest()[:4] for at in range(len(places)))
    out: list[str] = []
    for at, (start, end) in enumerate(pairwise(places)):
        out += [f"mark {words[at]}", *rows[start:end]]
    return "\n".join([f"{nonce} {row}" for row in (*out, f"mark {words[-1]}")]), words


def _said(context: Context, redactor: Redactor) -> tuple[str, ...]:
    """What is said about the change, as rows; never none, so that the pass with context is told from the blind one."""
    texts = [
        ("title", context.title),
        ("description", context.description),
        *(("author", author) for author in context.authors),
        *(("commit", message) for message in context.commits),
    ]
    rows = [f"{name}|{line}" for name, text in texts if text for line in _discreet(text, redactor)]
    kept, left = [], SAID
    for row in rows:
        left -= len(row)
        if left < 0:
            kept.append("(more is said than fits)")
            break
        kept.append(shown.written(row))
    return tuple(kept) or ("nothing",)


def _discreet(text: str, redactor: Redactor) -> list[str]:
    """The lines of what is shown of a text. It is cut after credentials are out: half of one is known to nobody."""
    return redactor.text(text[: 50 * SAID])[:SAID].split("\n")


def _format(mode: Mode) -> dict[str, Any]:
    if mode is Mode.PROMPT:
        return {}
    if mode is Mode.OBJECT:
        return {"response_format": {"type": "json_object"}}
    schema = {"name": "review", "strict": True, "schema": schema_of_answers()}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def schema_of_answers() -> dict[str, Any]:
    """The JSON Schema that endpoints may enforce; what comes back is checked by `reviewers.answer` all the same."""
    finding = _closed(FINDING)
    return _closed({**ANSWER, "findings": {"type": "array", "items": finding}})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
