"""Where the operator's settings may lie; apart from what they say, so that hooks can look without reading them."""

from pathlib import Path
from typing import Final

SYSTEM: Final = Path("/etc/twohand/settings.toml")


def places(explicit: Path | None, git_common_dir: Path) -> tuple[Path, ...]:
    """Without a variable in the environment; the first that is there counts."""
    return (explicit,) if explicit else (git_common_dir / "twohand" / "settings.toml", SYSTEM)
