"""The topics: one table, made and compared on a real broker."""

import json
import time

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from rules.events import EVENTS, ChangeProposed
from streams.engines.journal import topic_of
from streams.engines.kafka.broker import topic_admin
from streams.engines.kafka.records.topics import BY_NAME, FOR_EVER, MAX_REQUEST, ROLES, TOPICS, configs, group, of_role
from streams.engines.kafka.records.wire import FAULTS, MAX_RECORD
from tests.kafka.commands import run
from tests.kafka.processes import ROOT

pytestmark = pytest.mark.xdist_group("kafka")
NAMES = {role.name for role in ROLES}


@pytest.fixture
def empty(broker, tmp_path):
    """A broker without topics, and the settings that name it."""
    broker.clear()
    path = tmp_path / "settings.toml"
    path.write_text(
        f'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\nbootstrap = "{broker.bootstrap}"\n'
    )
    yield path
    broker.clear()


def alter(broker, topic, **values):
    admin = broker.admin()
    wrong = {name.replace("_", "."): value for name, value in values.items()}
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, wrong)])
    admin.close()


def differences(settings, count):
    """What `topics check` finds, once it finds so many: a broker shows altered values a moment later."""
    end = time.monotonic() + 30
    while True:
        found = json.loads(run("topics", "check", "--format", "json", "--settings", settings).out)["differences"]
        if len(found) == count or time.monotonic() > end:
            return found


def test_every_event_lies_in_exactly_one_topic():
    """The table says the same as the journal, which carries them without a broker."""
    assert sorted(kind.__name__ for topic in TOPICS for kind in topic.kinds) == sorted(kind.__name__ for kind in EVENTS)
    assert {kind: topic.name for topic in TOPICS for kind in topic.kinds} == {kind: topic_of(kind) for kind in EVENTS}


def test_powers_are_separated():
    """Decisions and trust each have one writer; beside the escalator only a relay, which brings acknowledgements, may write its topic (law 19)."""
    assert [BY_NAME[f"twohand.{name}"].writers for name in ("decisions", "escalations", "trust")] == [
        ("decider",),
        ("escalator", "relay"),
        ("keeper",),
    ]
    assert all({*topic.writers, *topic.readers} <= NAMES for topic in TOPICS)
    assert "viewer" not in {role for topic in TOPICS for role in topic.writers}


def test_a_suspension_does_not_lapse():
    """What takes a vote is kept for ever, or a reviewer would be back by retention."""
    assert BY_NAME["twohand.trust"].days == FOR_EVER
    assert configs(BY_NAME["twohand.trust"], 1)["retention.ms"] == "-1"


def test_sizes_fit_into_each_other():
    """What a producer may send, a topic takes; and a dead letter holds the largest record whole."""
    assert all(MAX_RECORD < topic.bytes < MAX_REQUEST for topic in TOPICS)
    assert BY_NAME["twohand.dead-letters"].bytes > BY_NAME["twohand.changes"].bytes


def test_groups_begin_with_their_role_alone():
    """No role's groups begin with another's name, so a prefix grants no more than meant."""
    assert group("reviewer", "rules") == "twohand-reviewer-rules"
    assert not [(a, b) for a in NAMES for b in NAMES - {a} if group(a).startswith(group(b))]
    assert set(of_role("decider")) == {topic.name for topic in TOPICS}


def test_topics_are_made_and_found_whole(empty):
    """`create` makes all of them alike, `check` is content, and a second `create` does nothing."""
    missing = run("topics", "check", "--settings", empty)
    assert missing.code == 2
    assert missing.out.count("is not there") == len(TOPICS)
    made = run("topics", "create", "--partitions", "3", "--settings", empty)
    assert made.code == 0
    assert "twohand.changes: made, 3 partitions" in made.out
    assert run("topics", "check", "--settings", empty) == (0, "All topics are as they should be.\n", "")
    assert run("topics", "create", "--settings", empty).out == "Nothing to do: all topics are there.\n"


def test_copies_that_are_asked_for_and_not_there_are_named(empty):
    """`create` moves no data: exit code 2 with the difference and who repairs it; no copy at all is a slip of the pen."""
    none = run("topics", "create", "--replicas", "0", "--settings", empty)
    assert (none.code, none.out) == (2, "")
    assert "Give 1 or more" in none.err
    assert run("topics", "create", "--replicas", "1", "--settings", empty).code == 0
    other = run("topics", "create", "--replicas", "3", "--settings", empty)
    assert other.code == 2
    assert other.out.count("each partition has 1 of 3 copies asked for\n  hint: ") == len(TOPICS)


def test_a_topic_that_is_missing_is_made_like_the_others(broker, empty):
    """Equal partition counts also after one was lost."""
    run("topics", "create", "--partitions", "3", "--settings", empty)
    broker.delete("twohand.trust")
    assert run("topics", "create", "--settings", empty).out == "twohand.trust: made, 3 partitions\n"


def test_topics_are_described(empty):
    """What is there, who writes it, and as JSON everything."""
    run("topics", "create", "--settings", empty)
    text = run("topics", "describe", "--settings", empty).out
    assert "twohand.decisions: 8 partitions, 1 copy, kept 400 days, written by decider\n" in text
    rows = json.loads(run("topics", "describe", "--format", "json", "--settings", empty).out)["topics"]
    assert [row["topic"] for row in rows] == [topic.name for topic in TOPICS]
    assert rows[0]["events"][0] == ChangeProposed.__name__
    assert rows[0]["configs"]["max.message.bytes"] == str(TOPICS[0].bytes)


def test_each_difference_is_named_with_its_remedy(broker, empty):
    """Too small, compacted, kept too short: named, and set right by `create --repair`."""
    run("topics", "create", "--settings", empty)
    alter(broker, "twohand.changes", max_message_bytes="1000000", cleanup_policy="compact")
    alter(broker, "twohand.trust", retention_ms="1000")
    alter(broker, "twohand.reviews", retention_ms="-1")
    found = differences(empty, 3)
    assert [(row["topic"], row["what"], row["stops"]) for row in found] == [
        ("twohand.changes", "cleanup.policy is compact, needed is delete", True),
        ("twohand.changes", "max.message.bytes is 1000000, needed is at least 12648448", True),
        ("twohand.trust", "retention.ms is 1000, needed is at least -1", False),
    ]
    assert {row["remedy"] for row in found} == {"twohand topics create --repair"}
    repaired = run("topics", "create", "--repair", "--settings", empty).out
    assert "twohand.trust: retention.ms = -1\n" in repaired
    assert differences(empty, 0) == []


def test_another_partition_count_is_named(broker, empty):
    """One topic that is cut differently: its change would meet in no one worker."""
    admin = broker.admin()
    admin.create_topics({"twohand.reviews": {"num_partitions": 5, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    run("topics", "create", "--partitions", "2", "--settings", empty)
    checked = run("topics", "check", "--settings", empty)
    assert checked.code == 2
    assert "twohand.reviews: has 5 partitions, the others have 2" in checked.out
    assert "delete twohand.reviews, then twohand topics create" in checked.out


def test_workers_ask_for_their_own_topics_only(broker, empty):
    """What a role neither reads nor writes may be missing, or hidden from it."""
    run("topics", "create", "--settings", empty)
    broker.delete("twohand.decisions")
    names = of_role("reviewer")
    admin = broker.admin()
    there = topic_admin.found(admin, names, configured=False)
    admin.close()
    assert set(there) == set(names)
    assert topic_admin.differences(there, names) == []


def test_the_documentation_says_what_the_tables_say():
    """docs/kafka.md: topics, faults and roles, row by row."""
    page = (ROOT / "docs/kafka.md").read_text("utf-8")
    for topic in TOPICS:
        events = ", ".join(kind.__name__ for kind in topic.kinds) or "what could not be handled"
        kept = f"{topic.days} days" if topic.days else "for ever"
        assert f"| `{topic.name}` | {events} | {', '.join(topic.writers)} | {kept} |\n" in page
    assert not [role for role in ROLES if f"| `{role.name}` | {role.says} |\n" not in page]
    assert not [fault for fault, says in FAULTS.items() if f"| `{fault}` | {says}" not in page]
    for title, rows in (("Topics", TOPICS), ("Records", FAULTS), ("Who may write what", ROLES)):
        section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        assert section.count("\n| `") == len(rows)
