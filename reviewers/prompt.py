"""The prompts: files under reviewers/prompts/ with a version in their first line. Another prompt is another reviewer version."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

NAMES = ("review", "context")


class Prompt(NamedTuple):
    """`text` is what is sent; `sha256` is that of the file, 64 hex digits."""

    name: str
    version: str
    sha256: str
    text: str


@cache
def prompt(name: str) -> Prompt:
    """One prompt."""
    data = (files("reviewers") / "prompts" / f"{name}.txt").read_bytes()
    first, _, text = data.decode("utf-8").partition("\n")
    return Prompt(name, first.removeprefix(f"{name} "), sha256(data).hexdigest(), text)


@cache
def digest() -> str:
    """Over all prompts, 64 hex digits: part of a reviewer's version, and of the key that its answers are kept by."""
    return sha256("\0".join(prompt(name).sha256 for name in NAMES).encode()).hexdigest()
