"""Every fault of docs/kafka.md on a real broker and a real database with real processes, one after the other, small."""

import pytest

from tests.kafka.fault_changes import Author
from tests.kafka.fault_court import Court
from tests.kafka.fault_ground import Ground
from tests.kafka.faults import ALL, FAULTS, SMALL, Scene, suffered

pytestmark = [
    pytest.mark.xdist_group("kafka"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # kafka-python, of a broker that is away
]


@pytest.fixture(scope="module")
def scene(postgres, tmp_path_factory):
    """Broker, store and workers that live through all of it."""
    folder = tmp_path_factory.mktemp("faults")
    with Ground(folder, postgres) as ground:
        ground.start(*ALL)
        yield Scene(ground, Author(folder), Court(ground), SMALL)


@pytest.fixture(scope="module")
def everything():
    """All changes of all faults."""
    return []


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_and_everything_is_decided_once(scene, everything, fault):
    """Law 38, 40: one decision for each acknowledged change, nothing lost, and only what the embedded engine decides."""
    row, changes = suffered(scene, fault)
    everything += changes
    print(row.fault, len(changes), row.verdict.decisions, f"{row.seconds:.1f} s", scene.ground.ended)
    assert row.verdict.whole, (row, scene.ground.ended)


def test_it_still_holds_when_all_is_over(scene, everything):
    """What came late of an earlier fault has changed nothing."""
    found = scene.court.verdict(everything)
    assert found.whole, found
