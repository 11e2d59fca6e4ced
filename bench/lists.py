"""How fast the page lists: `python -m bench.lists [CHANGES]`: a journal of so many escalated changes, asked over HTTP.

Prints JSON: seconds of the first reading, and the fastest of three of every later list. More than 0.2 s for a list is an error (exit 1).
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from streams.web.app import make_app
from tests.web import world
from tests.web.site import Site, served

MOST_SECONDS = 0.2
LISTS = ("/", "/?page=200", "/?who=alice", "/?text=work-4999", "/escalations", "/escalations?page=200", "/health")


def measured(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        repo = world.empty(Path(scratch))
        world.fill(repo, world.many(count))
        with served(make_app(world.place_of(repo))) as site:
            first = _seconds(site, "/")
            return {"first": first} | {path: min(_seconds(site, path) for _ in range(3)) for path in LISTS}


def _seconds(site: Site, path: str) -> float:
    begun = time.perf_counter()
    if site.get(path).status != 200:
        raise RuntimeError(path)
    return round(time.perf_counter() - begun, 4)


if __name__ == "__main__":
    found = measured(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
    print(json.dumps(found, indent=2))
    sys.exit(any(found[path] > MOST_SECONDS for path in LISTS))
