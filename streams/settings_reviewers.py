"""`[reviewers.NAME]` of the operator's settings: which models judge, where, for how much, and who follows whom (DESIGN 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.policy_shape import NAME
from rules.shape import BAD, Duration, Entry, ListOf, OneOf, Table, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rules.report import Path, Report

MOST_MONEY: Final = 1_000_000_000
MILLION: Final = 1_000_000
MOST_MICROS: Final = 1 << 62  # a number that every ledger can hold
TOKENS: Final = Whole(0, 1_000_000_000_000)


class Reviewer(NamedTuple):
    """A model reviewer that the gate runs itself; empty text is what nobody declared. Money has no name: prices give it one."""

    name: str
    endpoint: str
    model: str
    maker: str = ""
    family: str = ""
    key_env: str = ""  # the environment variable that holds the key of the endpoint
    fallback: tuple[str, ...] = ()  # names of other reviewers
    timeout: int = 120  # seconds in all
    declared: str = ""  # the model behind `model`, where that is the name of a deployment
    mode: str = "json_schema"
    key_file: str = ""
    signing_key: str = ""  # "": the git directory's twohand/reviewers/NAME
    tokens: int = 400_000  # of one review, estimated before anything is sent
    answer_tokens: int = 8_000  # of one answer
    part: int = 96_000  # bytes of the change in one request
    parallel: int = 4
    attempts: int = 3
    price_in: float = 0.0  # money for a million tokens
    price_out: float = 0.0
    tokens_per_change: int = 0  # 0: no limit
    tokens_per_day: int = 0
    tokens_per_repository: int = 0
    money_per_change: float = 0.0
    money_per_day: float = 0.0
    money_per_repository: float = 0.0

    @property
    def lineage(self) -> str:
        """The model whose weights speak, as far as anybody declared it."""
        return self.declared or self.model

    def micros(self, tokens_in: int, tokens_out: int) -> int:
        """What so many tokens cost, in millionths, rounded up; at most `MOST_MICROS`, whatever an endpoint counts."""
        return min(-int(-(tokens_in * self.price_in + tokens_out * self.price_out) // 1), MOST_MICROS)


class Amount(NamedTuple):
    """A number that is not negative, with or without decimals."""

    what: str = "a number such as 0.25"
    empty: float = 0.0

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_MONEY:
            return float(value)
        report.add(path, value, (self.what,), f"must be {self.what}, from 0 to {MOST_MONEY:,}")
        return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0, "maximum": MOST_MONEY}


def table(*, line: Text, variable: Text, absolute: Text) -> Table:
    """The keys of one reviewer, over the texts that all settings share."""
    endpoint = Text("a URL", _required_url, "^https?://")
    money = Amount()
    return Table(
        {
            "endpoint": Entry(endpoint, "The base address of an OpenAI-compatible API, up to and with /v1."),
            "model": Entry(line, "The model to ask for."),
            "declared": Entry(line, "The model behind it, where `model` is only the name of a deployment.", ""),
            "maker": Entry(line, "Who made the weights.", ""),
            "family": Entry(line, "The lineage of the weights.", ""),
            "key_env": Entry(variable, "The environment variable that holds the endpoint's key.", ""),
            "key_file": Entry(absolute, "Or the file that holds it.", ""),
            "signing_key": Entry(
                absolute,
                "The private key that signs its reviews; without it the one that `twohand reviewers enrol` made.",
                "",
            ),
            "mode": Entry(
                OneOf(("json_schema", "json_object", "prompt")),
                "How the endpoint is told the shape of the answer; what comes back is checked in the same way in all three.",
                "json_schema",
            ),
            "fallback": Entry(ListOf(NAME), "Reviewers to ask when this one cannot answer, in order.", []),
            "timeout": Entry(Duration(1, 3600), "How long one review may take in all.", "2m"),
            "tokens": Entry(
                Whole(1, 100_000_000), "Tokens of one review, estimated before anything is sent; more is over budget.", 400_000
            ),
            "answer_tokens": Entry(Whole(64, 1_000_000), "Tokens of one answer.", 8_000),
            "part": Entry(Whole(1_000, 10_000_000), "Bytes of the change in one request; a larger one is asked in parts.", 96_000),
            "parallel": Entry(Whole(1, 1000), "Requests under way at this endpoint at the same time.", 4),
            "attempts": Entry(Whole(1, 10), "How often one request is tried.", 3),
            "price_in": Entry(money, "What a million tokens of a question cost.", 0.0),
            "price_out": Entry(money, "What a million tokens of an answer cost.", 0.0),
            **{
                f"{kind}_per_{span}": Entry(shape, f"The most {kind} that it may take per {told}; 0: no limit.", empty)
                for kind, shape, empty in (("tokens", TOKENS, 0), ("money", money, 0.0))
                for span, told in (("change", "change"), ("day", "day (UTC)"), ("repository", "repository, in all"))
            },
        }
    )  # fmt: skip


Wrong = tuple[tuple[str | int, ...], str | None, tuple[str, ...], str]


def wrong(reviewers: Mapping[str, Reviewer]) -> Iterator[Wrong]:
    """What no single key shows: each with its place, its value, what is allowed, and why."""
    yield from _told_apart(reviewers.values())
    for name, reviewer in reviewers.items():
        yield from _wrong_fallbacks(reviewer, tuple(reviewers))
        yield from _wrong_address(reviewer)
        if name == "rules":
            yield ("reviewers", name), name, (), "is the name of the reviewer that runs the rules"
        if reviewer.key_env and reviewer.key_file:
            path = ("reviewers", name, "key_file")
            yield path, reviewer.key_file, (), "is one key too many: key_env names another"
        for kind in ("change", "day", "repository"):
            if getattr(reviewer, f"money_per_{kind}") and not (reviewer.price_in or reviewer.price_out):
                path = ("reviewers", name, f"money_per_{kind}")
                yield (
                    path,
                    str(getattr(reviewer, path[2])),
                    (),
                    "needs price_in and price_out: without them all is free",
                )


def _told_apart(reviewers: Iterable[Reviewer]) -> Iterator[Wrong]:
    """One model at one address that goes by two names: its two approvals would be two hands (law 25)."""
    first: dict[tuple[str, str], Reviewer] = {}
    for one in reviewers:
        other = first.setdefault((one.endpoint.rstrip("/").lower(), one.model), one)
        for key in ("declared", "maker", "family"):
            if getattr(one, key) != getattr(other, key):
                why = f"differs from reviewers.{other.name}, which asks the same model at the same address"
                yield ("reviewers", one.name, key), getattr(one, key), (getattr(other, key) or "nothing",), why


def _wrong_fallbacks(reviewer: Reviewer, known: tuple[str, ...]) -> Iterator[Wrong]:
    for index, fallback in enumerate(reviewer.fallback):
        path = ("reviewers", reviewer.name, "fallback", index)
        if fallback == reviewer.name:
            yield path, fallback, known, "is the reviewer itself"
        elif fallback and fallback not in known:
            yield path, fallback, known, "is no reviewer of these settings"


def _wrong_address(reviewer: Reviewer) -> Iterator[Wrong]:
    from reviewers.judging import Endpoint  # noqa: PLC0415 - only where a reviewer is configured

    fault = Endpoint(reviewer.endpoint, reviewer.model).fault if reviewer.endpoint else ""
    if fault:
        yield ("reviewers", reviewer.name, "endpoint"), "(hidden)", (), fault


def _required_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be a URL that begins with http:// or https://")
    rest = text.partition("://")[2]
    if not rest or " " in text or not text.isprintable() or len(text) > 2000:
        raise ValueError("must be a URL such as https://llm.internal/v1")
    return text
