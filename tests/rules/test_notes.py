"""Notes of git-ai: sessions, operators and people of a commit."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rules.notes import Attestation, claims, parse

ID = "a" * 40
DATA = {
    "schema_version": "authorship/3.0.0",
    "base_commit_sha": "b" * 40,
    "sessions": {
        "s_00112233445566": {
            "agent_id": {"tool": "cursor", "id": "conv-1", "model": "claude-sonnet-4-5-20250514"},
            "human_author": "Ann Example <ann@example.org>",
        }
    },
    "prompts": {
        "0123456789abcdef": {
            "agent_id": {"tool": "codex", "id": "c", "model": "default"},
            "human_author": "ben@example.org",
        }
    },
    "humans": {"h_00112233445566": {"author": "Cem Example <cem@example.org>"}},
}
HEAD = 'src/a.py\n  s_00112233445566::t_01 1-10,15\n  h_00112233445566 42-50\n"src/my file.py"\n  0123456789abcdef 3\n---\n'


def note(data: object = DATA, head: str = HEAD) -> bytes:
    return (head + json.dumps(data)).encode()


def test_attestations() -> None:
    """Lines belong to the session before the `::`; quoted paths lose their quotes."""
    found = parse(note())
    assert found is not None
    assert found.problems == ()
    assert found.attestations == (
        Attestation("src/a.py", "s_00112233445566", ((1, 10), (15, 15))),
        Attestation("src/a.py", "h_00112233445566", ((42, 50),)),
        Attestation("src/my file.py", "0123456789abcdef", ((3, 3),)),
    )


def test_sessions_and_operators() -> None:
    """A session is an agent of grade C, its human author the operator."""
    agent = claims(ID, parse(note()))[0]
    assert (agent.channel, agent.grade, agent.commit, agent.kind) == ("note", "C", ID, "agent")
    assert (agent.tool, agent.maker, agent.family) == ("cursor", "anthropic", "claude")
    assert (agent.session, agent.operator) == ("git-ai:s_00112233445566", "ann@example.org")


def test_unknown_models_stay_unknown() -> None:
    """`default` is no model, even of a tool that implies one."""
    agent = claims(ID, parse(note()))[1]
    assert (agent.tool, agent.model, agent.maker, agent.operator) == ("codex", "default", "", "ben@example.org")


def test_known_human_lines() -> None:
    """Lines that a person was seen typing are that person's."""
    person = claims(ID, parse(note()))[2]
    assert (person.kind, person.name, person.email, person.grade) == ("person", "Cem Example", "cem@example.org", "C")


def test_uncovered_lines_are_nobodys() -> None:
    """A note without entries makes nobody an author: uncovered is unknown, not human."""
    assert claims(ID, parse(note({"schema_version": "authorship/3.0.0"}, "---\n"))) == ()


def test_attested_without_description() -> None:
    """A session that only the lines name is an agent all the same; an undescribed human is nobody."""
    found = claims(ID, parse(note({"schema_version": "authorship/3.0.0"})))
    assert [(claim.kind, claim.tool, claim.session) for claim in found] == [
        ("agent", "", "git-ai:s_00112233445566"),
        ("agent", "", "git-ai:0123456789abcdef"),
    ]


def test_no_note() -> None:
    """No text is no note, and no note claims nothing."""
    assert parse(b"") is None
    assert claims(ID, None) == ()


def test_malformed_notes_have_problems() -> None:
    """Broken JSON, wrong shapes and unreadable lines are said; what can be read holds."""
    cases = {
        b"a.py\n  s_1 1-2\n---\n{": "JSON",
        b"hello": "---",
        b"---\n[1]": "no object",
        b"---\n" + b"[" * 100_000: "JSON",
        b'---\n{"schema_version":"authorship/9"}': "schema",
        note({**DATA, "sessions": [1]}): "sessions is no object",
        note({**DATA, "sessions": {"s_1": {"agent_id": 7}}}): "agent_id is no object",
        note(DATA, "a.py\n  s_1 x-y\n---\n"): "attestation",
        note(DATA, "  s_1 1\n---\n"): "attestation",
    }
    for data, expected in cases.items():
        found = parse(data)
        assert found is not None
        assert any(expected in problem for problem in found.problems), (data[:40], found.problems)
        claims(ID, found)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    """No note crashes the reader, before the line or after it."""
    for text in (data, HEAD.encode() + data, data + b"\n---\n{}"):
        claims(ID, parse(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["sessions", "prompts", "humans", "agent_id", "tool", "human_author", "author", "x"]),
                inner,
            )
        ),
    )
)
def test_no_json_raises(data: object) -> None:
    """No JSON of any shape does either."""
    claims(ID, parse(note(data)))
