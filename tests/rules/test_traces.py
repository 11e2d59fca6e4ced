"""Agent Trace records: which contributor wrote which lines of a commit."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rules.traces import claims, parse

ID = "a" * 40
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def record(**changes: object) -> dict[str, object]:
    conversation = {
        "url": "https://tool.example/c/1",
        "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5-20251101"},
        "ranges": [{"start_line": 10, "end_line": 20, "content_hash": "murmur3:9f2e8a1b"}],
        "related": [{"type": "session", "url": f"https://github.com/o/r/sessions/{UUID}"}],
    }
    base = {
        "version": "0.1.0",
        "id": UUID,
        "timestamp": "2026-01-23T14:30:00Z",
        "vcs": {"type": "git", "revision": ID},
        "tool": {"name": "cursor"},
        "files": [{"path": "src/a.py", "conversations": [conversation]}],
    }
    return {**base, **changes}


def lines(*records: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in records).encode()


def test_a_record_of_the_commit() -> None:
    """Tool, model and session of a contributor are a claim of grade C."""
    (found,) = claims(ID, parse(lines(record())))
    assert (found.channel, found.grade, found.kind, found.tool) == ("trace", "C", "agent", "cursor")
    assert (found.maker, found.family, found.session) == ("anthropic", "claude", f"copilot:{UUID}")


def test_a_record_of_another_commit() -> None:
    """A record that names another revision says nothing of this one, whatever lines it covers."""
    records = parse(lines(record(vcs={"type": "git", "revision": "b" * 40})))
    assert claims(ID, records, touched={"src/a.py": ((1, 99),)}) == ()


def test_a_record_without_revision_speaks_by_its_lines() -> None:
    """Without a revision the ranges decide."""
    records = parse(lines(record(vcs=None)))
    assert claims(ID, records) == ()
    assert claims(ID, records, touched={"src/a.py": ((21, 30),), "src/b.py": ((1, 99),)}) == ()
    assert len(claims(ID, records, touched={"src/a.py": ((20, 20),)})) == 1


def test_people_and_unknowns_have_no_name() -> None:
    """A human's range is no claim: the trace does not say whose."""
    talk = {"contributor": {"type": "human"}, "ranges": [{"start_line": 1, "end_line": 2}]}
    assert claims(ID, parse(lines(record(files=[{"path": "a", "conversations": [talk]}])))) == ()


def test_a_range_may_name_its_own_contributor() -> None:
    """A range's contributor comes beside its conversation's."""
    talk = {
        "contributor": {"type": "human"},
        "ranges": [
            {"start_line": 1, "end_line": 2},
            {"start_line": 3, "end_line": 4, "contributor": {"type": "mixed", "model_id": "openai/gpt-5.2"}},
        ],
    }
    (found,) = claims(ID, parse(lines(record(files=[{"path": "a", "conversations": [talk]}]))))
    assert (found.kind, found.model, found.maker) == ("agent", "openai/gpt-5.2", "openai")


def test_namespaces() -> None:
    """A session's address has the namespace that messages give it; any other stands for itself."""
    expected = {
        "https://claude.ai/code/session_01": "claude-web:session_01",
        f"https://ampcode.com/threads/T-{UUID}": f"amp:T-{UUID}",
        "https://tool.example/s/7": "agent-trace:https://tool.example/s/7",
    }
    for url, session in expected.items():
        talk = {"contributor": {"type": "ai"}, "related": [{"type": "session", "url": url}]}
        (found,) = claims(ID, parse(lines(record(files=[{"path": "a", "conversations": [talk]}]))))
        assert found.session == session


def test_several_forms() -> None:
    """JSON lines, one indented object and a list are all read."""
    assert len(parse(lines(record(), record()))) == 2
    assert len(parse(json.dumps(record(), indent=2).encode())) == 1
    assert len(parse(json.dumps([record(), record()]).encode())) == 2
    assert parse(b"") == ()


def test_unknown_tools_keep_their_name() -> None:
    """A tool that the table does not have is an agent under its own name."""
    (found,) = claims(ID, parse(lines(record(tool={"name": "housemade"}))))
    assert (found.kind, found.tool, found.name) == ("agent", "", "housemade")


def test_malformed_records_have_problems() -> None:
    """What cannot be read is said, and the other lines hold."""
    records = parse(b"{\n" + lines(record()) + b'[1]\n{"version":"9"}\n')
    assert [bool(row.problems) for row in records] == [True, False, True, True]
    assert len(claims(ID, records)) == 1
    for changes in (
        {"files": 7},
        {"files": [7]},
        {"tool": "x"},
        {"vcs": 1},
        {"files": [{"conversations": [{"ranges": 1}]}]},
    ):
        assert parse(lines(record(**changes)))[0].problems


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    """No file crashes the reader."""
    claims(ID, parse(data), touched={"a": ((1, 2),)})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["files", "path", "conversations", "contributor", "type", "ranges", "related", "url", "start_line"]
                ),
                inner,
            )
        ),
    )
)
def test_no_json_raises(data: object) -> None:
    """No JSON of any shape does either."""
    claims(ID, parse(lines(data, record(files=data))))
