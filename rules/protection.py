"""Which refs are protected: the default branch, and what `protect` of any policy that speaks names (law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rules.refnames import covered

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
        return covered(ref, self.default, self.globs)


def protection(default: str, policies: Sequence[Policy | None]) -> Protection:
    """What these policies protect together; None is one that could not be read."""
    globs = (glob for policy in policies if policy for glob in policy.protect)
    return Protection(default, tuple(dict.fromkeys(globs)), any(policy is None for policy in policies))
