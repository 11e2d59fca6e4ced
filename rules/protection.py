"""Which refs are protected: the default branch, and what `protect` of any policy that speaks names (law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rules.policy import Policy

HEADS = "refs/heads/"


class Protection(NamedTuple):
    """Names are compared without case: where a disk or a client folds it, `Main` is `main`.

    `everything`: a policy cannot be read, so that nobody knows what it protects.
    """

    default: str  # full name of the default branch, "" where there is none
    globs: tuple[str, ...] = ()
    everything: bool = False

    def covers(self, ref: str) -> bool:
        if self.everything and ref.startswith(HEADS):
            return True
        name = _folded(ref)
        return name == _folded(self.default) or (bool(self.globs) and self._matches(name))

    def _matches(self, folded: str) -> bool:
        from rules.globs import compiled_refs  # noqa: PLC0415 - re2; hooks ask this before they load anything else

        named = compiled_refs(tuple(map(_folded, self.globs)))
        return named.match(folded.encode("utf-8", "surrogateescape"))


def protection(default: str, policies: Sequence[Policy | None]) -> Protection:
    """What these policies protect together; None is one that could not be read."""
    globs = (glob for policy in policies if policy for glob in policy.protect)
    return Protection(default, tuple(dict.fromkeys(globs)), any(policy is None for policy in policies))


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()
