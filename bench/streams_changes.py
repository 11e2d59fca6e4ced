"""Changes of a given size for the benches of the Kafka engine: each adds one Python file that no other has."""

from collections.abc import Iterator
from random import Random

from rules.events import ChangeProposed
from streams.engines.kafka.records.wire import Record
from tests.kafka.events import carried, proposed, rules

NOUNS = [
    "order",
    "user",
    "cart",
    "price",
    "stock",
    "batch",
    "query",
    "event",
    "label",
    "route",
    "shelf",
    "parcel",
    "invoice",
    "region",
    "window",
    "ticket",
]
VERBS = [
    "read",
    "find",
    "sum",
    "sort",
    "merge",
    "keep",
    "drop",
    "count",
    "check",
    "load",
    "send",
    "pack",
    "split",
    "trim",
    "mark",
    "close",
]
SEED = 20261121
BODY = """def {verb}_{noun}_{number}({noun}s, {other}, limit={limit}):
    \"\"\"{Verb} the {noun}s of one {other}, at most `limit`.\"\"\"
    found = [{noun} for {noun} in {noun}s if {noun}.{other} == {other}]
    if len(found) > limit:
        raise ValueError(f"{{len(found)}} {noun}s of {{{other}}}, at most {{limit}} are allowed")
    return sorted(found, key=lambda {noun}: {noun}.{key})


"""


def source(number: int, size: int) -> bytes:
    """A module of about `size` bytes."""
    random, text = Random(SEED + number), f'"""Module {number}."""\n\n\n'
    while len(text) < size:
        noun, other, key = random.sample(NOUNS, 3)
        verb = random.choice(VERBS)
        words = {"verb": verb, "Verb": verb.title(), "noun": noun, "other": other, "key": key}
        text += BODY.format(number=random.randrange(10_000), limit=random.randrange(10, 5000), **words)
    return text.encode()


def event(number: int, size: int) -> tuple[ChangeProposed, bytes]:
    """A proposal and its file."""
    data = source(number, size)
    return proposed(number, data, read_from=("refs (0)",)), data


def changes(first: int, count: int, size: int) -> list[Record]:
    """The records of so many proposals with their contents, as a source publishes them."""
    return [carried(*event(number, size)) for number in range(first, first + count)]


def reviewed(first: int, count: int, size: int) -> Iterator[Record]:
    """What the rules say of each of these changes, as their worker publishes it."""
    from streams.engines.kafka.records.wire import encode

    for number in range(first, first + count):
        proposal, _ = event(number, size)
        yield encode(rules(proposal), "example/shop")
