"""The packaged tables of rules/data, which people edit as TOML."""

import json
import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

COMPILED = "tables.json"  # what `python -m streams.docs` makes of the larger ones
DATA = Path(__file__).parent / "data"


def table(name: str) -> dict[str, Any]:
    """One packaged TOML table of rules/data: as it was compiled to JSON from this very text, else read anew.

    TOML takes 6 ms for the agents, which a hook would pay on each push; JSON half of one.
    """
    text = (DATA / name).read_bytes()
    made, rows = _compiled().get(name, ("", {}))
    return rows if made == sha256(text).hexdigest() else tomllib.loads(text.decode())


@cache
def _compiled() -> dict[str, tuple[str, dict[str, Any]]]:
    try:
        found: dict[str, tuple[str, dict[str, Any]]] = json.loads((DATA / COMPILED).read_bytes())
    except (OSError, ValueError):
        return {}
    return found
