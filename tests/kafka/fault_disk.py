"""No room under a journal: the relay can write nothing for a while, and then carries all of it."""

import resource
import time
from pathlib import Path

from streams.engines.journal import Journal
from streams.engines.kafka.carrier.relay_file import Beside, RelayUnusable
from tests.gitrepo import Repo
from tests.kafka.events import blob
from tests.kafka.fault_changes import Change
from tests.kafka.fault_scene import Happened, Scene

ROOM = 16 << 10  # bytes that a file may have: less than a journal's, more than a log's


def full(scene: Scene) -> Happened:
    """What a hook recorded meanwhile goes out when there is room again, and every decision comes back."""
    repo, changes = Repo(scene.ground.folder / "server.git", bare=True), scene.several()
    folder, half = repo.path / "twohand", len(changes) // 2
    words = ("-m", "streams.cli", "relay", "-C", str(repo.path), "--settings", str(scene.ground.settings("relay")))
    with Journal(folder / "journal.db") as journal:
        recorded(journal, changes[:half])
        relay = scene.ground.begin("relay", words)
        scene.ground.wait(lambda: came_back(folder, changes[:1]), 60)
        resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))
        recorded(journal, changes[half:])
        scene.ground.wait(lambda: "waits: " in scene.ground.log("relay"), 60)
        assert relay.alive, scene.ground.log("relay")
        resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        over = time.monotonic()
        scene.ground.wait(lambda: came_back(folder, changes), scene.size.patience)
    return changes, over


def recorded(journal: Journal, changes: list[Change]) -> None:
    """As a push does: statements and proposal, and its content, which no repository has yet."""
    for one in changes:
        journal.append([*one.said, one.plain])
        journal.keep_blobs({blob(one.data): one.data})


def came_back(folder: Path, changes: list[Change]) -> bool:
    """Whether the server knows what was decided about each."""
    if not (folder / "relay.db").exists():
        return False
    try:
        with Beside(folder, writable=False) as file:
            return all((found := file.standing(one.id)) and found.outcome == one.outcome for one in changes)
    except RelayUnusable as error:
        if error.busy:
            return False
        raise
