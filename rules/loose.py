"""JSON that somebody else wrote, read leniently: what has the wrong shape becomes a problem, never an error."""

from json import loads
from typing import Any

LONGEST = 300  # characters of a value that is kept


def read(text: str, problems: list[str]) -> dict[str, Any]:
    """The object of a JSON text; an empty one, and a problem, where it is none."""
    try:
        data = loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"the JSON cannot be read: {str(error)[:80]}")
        return {}
    return mapping(data, "the JSON", problems)


def mapping(value: object, where: str, problems: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value is not None:
        problems.append(f"{where} is no object")
    return {}


def items(value: object, where: str, problems: list[str]) -> list[Any]:
    if isinstance(value, list):
        return value
    if value is not None:
        problems.append(f"{where} is no list")
    return []


def text_of(value: object) -> str:
    """A string, with lone surrogates replaced; "" for anything else."""
    return value[:LONGEST].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
