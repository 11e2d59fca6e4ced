"""Every fault of docs/kafka.md on a real broker and a real database with real processes, one after the other, small."""

from dataclasses import replace

import psycopg
import pytest

from streams.engines.kafka.records.wire import Record, decode, encode
from tests.kafka.fault_changes import SOURCE, Author, records
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
    assert row.verdict.whole, (row, scene.ground.ended)


def test_it_still_holds_when_all_is_over(scene, everything):
    """What came late of an earlier fault has changed nothing."""
    found = scene.court.verdict(everything)
    assert found.whole, found


def test_the_judge_sees_what_is_wrong(scene):
    """A forged admission, a record that vanished, an event that the store lost: each is found. It comes last, because it does harm."""
    ground, court, (first, second, approved) = scene.ground, scene.court, scene.author.several(3)
    ground.send(*records([first, second, approved]))
    ground.wait(lambda: court.settled([first, second, approved]), SMALL.patience)
    assert court.verdict([first, second, approved]).whole
    (admission,) = {
        record.value: record for record in ground.read("twohand.decisions") if record.key.decode() == approved.id
    }.values()
    forged = replace(
        decode(Record(admission.topic, admission.key, admission.value, tuple(admission.headers))), change=first.id
    )
    ground.send(encode(forged, SOURCE))
    found = court.verdict([first])
    assert found.decisions == 2
    assert any("not pending" in text for text in found.wrong)
    assert any("only on one side" in text for text in found.wrong)
    with psycopg.connect(ground.store) as database:
        database.execute("delete from event where change = %s", (second.id,))
    ground.acknowledged.append(first.proposal._replace(value=b"another"))
    found = court.verdict([second])
    assert len([text for text in found.lost if "not in the store" in text]) == 2
    assert len([text for text in found.lost if "acknowledged, not on twohand.changes" in text]) == 1
