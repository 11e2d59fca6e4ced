"""How people and agents of the law are written: in commits, by a forge, and on the command line."""

from collections.abc import Mapping
from typing import Any

from tests.acceptance.law import AGENTS, SERVICES


def identity(name: str) -> str:
    """`Name <address>` of somebody in the law; what has an address already stays."""
    if "<" in name:
        return name
    host = "agents.example.com" if name in AGENTS else "example.com"
    return f"{name.capitalize()} <{name}@{host}>"


def account(name: str) -> str:
    return name if ":" in name else f"github:{name}[bot]" if name in (*AGENTS, *SERVICES) else f"github:{name}"


def authoring(name: str) -> dict[str, str]:
    who, _, address = identity(name).partition(" <")
    return {"GIT_AUTHOR_NAME": who, "GIT_AUTHOR_EMAIL": address.removesuffix(">")}


def committing(name: str) -> dict[str, str]:
    return {key.replace("AUTHOR", "COMMITTER"): value for key, value in authoring(name).items()}


def flags(options: Mapping[str, Any]) -> list[str]:
    """`opened_by="x"` as `--opened-by x`; True is a flag."""
    pairs = (
        (f"--{name.replace('_', '-')}", value) for name, value in options.items() if value not in (None, False, "")
    )
    return [part for name, value in pairs for part in ((name,) if value is True else (name, str(value)))]
