"""What was measured of single rules: rules/data/weights.toml, where `bench` wrote figures of them."""

from functools import lru_cache
from typing import Any

from rules import packaged


def measured(slug: str) -> str:
    """One sentence about precision and recall on labelled changes; "" for a rule that nobody measured."""
    return worded(_figures().get(slug, {}))


def worded(row: dict[str, Any]) -> str:
    """The sentence. Keys: `weakenings` and `ordinary` (changes found), `recall`, `share` and `precision` (0 to 1)."""
    if not {"weakenings", "ordinary", "recall", "share", "precision"} <= row.keys():
        return ""
    return (
        f"Precision {row['precision']:.0%} where weakenings and ordinary changes are equally many: it found {row['weakenings']} "
        f"labelled weakenings ({row['recall']:.1%} of them) and {row['ordinary']} ordinary changes ({row['share']:.1%})."
    )


@lru_cache(maxsize=1)
def _figures() -> dict[str, dict[str, Any]]:
    """The tables `[measured.SLUG]`; none where the file or the table is not there."""
    data = packaged.table("weights.toml") if (packaged.DATA / "weights.toml").is_file() else {}
    rows: dict[str, dict[str, Any]] = data.get("measured", {})
    return rows
