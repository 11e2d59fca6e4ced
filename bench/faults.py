"""Every fault of the fault suite at full size, on a broker, a database and workers of its own.

`python -m bench.faults` prints a table after about five minutes: what was broken, how many changes flowed through it, what was
decided, lost and wrong, and the seconds until all was whole again. `--only TEXT` takes the faults whose name holds it, `--small`
what the tests take. Exit code 1 where anything is lost or wrong.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.streams_rows import Circumstances
from tests.kafka.fault_changes import Author, Change
from tests.kafka.fault_court import Court
from tests.kafka.fault_ground import Ground
from tests.kafka.faults import ALL, FAULTS, FULL, LONG, SMALL, Row, Scene, Size, suffered
from tests.kafka.postgres import Postgres

HEAD = "| fault | changes | decisions | lost | wrong | seconds until whole again |\n|---|---|---|---|---|---|"


def rows(names: Sequence[str], size: Size) -> Iterator[Row]:
    """What came of each fault, then of all together."""
    with TemporaryDirectory(prefix="twohand-faults-") as name, Postgres() as postgres:
        folder, everything = Path(name), list[Change]()
        with Ground(folder, postgres) as ground:
            ground.start(*ALL)
            scene = Scene(ground, Author(folder), Court(ground), size)
            for fault in names:
                row, changes = suffered(scene, fault)
                everything += changes
                yield row
            yield Row("all together, at the end", scene.court.verdict(everything), 0)


def shown(row: Row) -> str:
    """A line of the table."""
    found = row.verdict
    return f"| {row.fault} | {found.changes} | {found.decisions} | {len(found.lost)} | {len(found.wrong)} | {row.seconds:.1f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="faults whose name holds this")
    parser.add_argument("--small", action="store_true", help="as small as the tests")
    given = parser.parse_args()
    circumstances, bad = Circumstances.now(), 0
    print(f"{circumstances.date}, {circumstances.machine}, load before the run {circumstances.load:.1f}\n\n{HEAD}")
    for row in rows([name for name in {**FAULTS, **LONG} if given.only in name], SMALL if given.small else FULL):
        print(shown(row), flush=True)
        for text in (*row.verdict.lost[:5], *row.verdict.wrong[:5]):
            print(f"  {text}", file=sys.stderr)
        bad += not row.verdict.whole
    print(f"\nload after the run {os.getloadavg()[0]:.1f}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
