"""Names of refs as the gate compares them. Hooks ask this first, so `typing` (as slow as the interpreter) is not imported."""

from __future__ import annotations

from unicodedata import normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def covered(ref: str, default: str, globs: Sequence[str]) -> bool:
    """Whether a ref is the default branch or one that a glob names; case is folded, as a disk or a client may do."""
    name = _folded(ref)
    return name == _folded(default) or (bool(globs) and _matches(name, globs))


def _matches(folded: str, globs: Sequence[str]) -> bool:
    from rules.globs import compiled_refs  # noqa: PLC0415 - re2, only where a policy has globs

    return compiled_refs(tuple(map(_folded, globs))).match(folded.encode("utf-8", "surrogateescape"))


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()
