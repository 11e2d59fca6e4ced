"""What a run of `bench.streams` found, as a table for people and as constants for `bench.capacity`."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

CONSTANTS = Path(__file__).with_name("streams.toml")
CPU = Path("/proc/cpuinfo")
_HEAD = """# Measured by `python -m bench.streams`; docs/capacity.md is computed from it by `python -m bench.capacity --write`.
# Each figure is the median of one run. Do not edit: measure anew.
"""


class Row(NamedTuple):
    """One measured quantity with all its repeats. `bar` is what is asked of the median."""

    name: str
    says: str
    unit: str
    values: Sequence[float]
    bar: tuple[str, float] | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def holds(self) -> bool:
        """Whether the bar is kept; True where there is none."""
        if self.bar is None:
            return True
        return self.median >= self.bar[1] if self.bar[0] == ">=" else self.median <= self.bar[1]


def table(rows: Iterable[Row]) -> str:
    """Markdown: the median of each row, its spread, and its bar."""
    lines = ["| work | median | spread | bar | |", "|---|---|---|---|---|"]
    for row in rows:
        spread = f"{figure(min(row.values))} to {figure(max(row.values))}" if len(row.values) > 1 else ""
        bar = f"{row.bar[0]} {figure(row.bar[1])}" if row.bar else ""
        kept = "" if not row.bar else "kept" if row.holds else "**missed**"
        lines.append(f"| {row.says} | {figure(row.median)} {row.unit} | {spread} | {bar} | {kept} |")
    return "\n".join(lines)


def figure(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Circumstances(NamedTuple):
    """When and where a run was made, and how busy the machine was with other work."""

    date: str
    machine: str
    load: float

    @classmethod
    def now(cls) -> "Circumstances":
        """`load` is the mean number of running processes of the last minute: call it before anything is started."""
        lines = CPU.read_text().splitlines() if CPU.exists() else []
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
        python = platform.python_version()
        machine = f"{os.cpu_count()} x {model}, {platform.system()} {platform.machine()}, CPython {python}"
        return cls(f"{datetime.now(UTC):%Y-%m-%d}", machine, os.getloadavg()[0])


def commit() -> str:
    """What was measured; "" outside a repository."""
    asked = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def toml(rows: Iterable[Row], circumstances: Circumstances, *, provisional: bool) -> str:
    """The constants with when and where they were measured."""
    said = [
        f'date = "{circumstances.date}"', f'machine = "{circumstances.machine}"', f"load = {circumstances.load:.1f}",
        f'commit = "{commit()}"', f"provisional = {str(provisional).lower()}",
    ]  # fmt: skip
    figures = [f'"{row.name}" = {float(f"{row.median:.4g}")!r}  # {row.says}, {row.unit}' for row in rows]
    return "\n".join([_HEAD, *said, "", "[figures]", *figures, ""])
