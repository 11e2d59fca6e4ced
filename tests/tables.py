"""The two long tables, attacks and cases, a share at a time: CI takes the half that the commit's number chooses, you take all."""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

HALF: Final = "TWOHAND_TEST_HALF"  # 0 or 1

T = TypeVar("T")


def share(rows: Sequence[T]) -> Sequence[T]:
    """Every other row where $TWOHAND_TEST_HALF says which; else all."""
    half = os.environ.get(HALF, "")
    return rows[int(half) % 2 :: 2] if half else rows
