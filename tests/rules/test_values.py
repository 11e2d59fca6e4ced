"""The law's values: paths, keys, instants, canonical text, statements and signatures as bytes (law 2, 6, 17, 42)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import instants, paths, sshsig
from rules.canonical import canonical, digest
from rules.change import change_id, content_key
from rules.events import EVENTS, ChangeProposed, EscalationOpened, event_id, type_name
from rules.findings import Finding, Tier
from rules.revive import reviver
from rules.statement import MAX_BYTES, Content, Statement, StatementInvalid, parse, payload, split, statement_id
from tests.rules.lawkit import NOON, REPOSITORY, TARGET, armor, file, key, proposed, said


@given(st.binary(max_size=40))
def test_every_path_survives_its_text(raw: bytes) -> None:
    """Law 2: paths are bytes first."""
    text = paths.quote(raw)
    assert paths.unquote(text) == raw
    assert text.isprintable()
    text.encode("utf-8")


def test_quoted_as_git_does() -> None:
    """DESIGN 6: git's own C escapes, with plain UTF-8 left alone."""
    assert paths.quote("né.py".encode()) == "né.py"
    assert paths.quote(b'a\nb"\\\xff\x1b') == '"a\\nb\\"\\\\\\377\\033"'
    assert paths.unquote('"open') == b'"open'


@given(
    st.lists(st.sampled_from([file("a"), file("b"), file("c", new=""), file("d", old="")]), unique=True), st.randoms()
)
def test_content_key_is_of_the_set(files: list, random: Any) -> None:
    """Law 2: sorted, so order says nothing."""
    shuffled = list(files)
    random.shuffle(shuffled)
    assert content_key(REPOSITORY, TARGET, shuffled) == content_key(REPOSITORY, TARGET, files)


def test_everything_that_is_content_changes_the_key() -> None:
    """Law 2: path, modes, blobs, repository and target."""
    one = file("a")
    keys = {
        content_key(REPOSITORY, TARGET, [row])
        for row in (
            one,
            file("b"),
            one._replace(new_mode="100755"),
            one._replace(old_blob="9" * 40),
            file("a", new="7"),
        )
    }
    keys |= {content_key("else", TARGET, [one]), content_key(REPOSITORY, "refs/heads/x", [one])}
    assert len(keys) == 7
    assert content_key(REPOSITORY, TARGET, [one._replace(added=99)]) in keys


def test_change_id_is_of_number_or_branch_or_content() -> None:
    """Law 6: never of text from a commit."""
    assert change_id("r", "t", key="k") == "k"
    assert change_id("r", "t", branch="b", key="k") == "k"
    assert change_id("r", "t", branch="b", principal="p", key="k") == change_id(
        "r", "t", branch="b", principal="p", key="z"
    )
    assert change_id("r", "t", number="7", branch="b", principal="p", key="k") == change_id(
        "r", "t", number="7", key="z"
    )


def test_sides_of_a_file() -> None:
    """Law 2: an absent side has no mode."""
    assert (file(old="").exists_before, file(old="").exists_after) == (False, True)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_instants_are_the_calendars(moment: datetime) -> None:
    """The calendar without a clock equals the standard library's."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    assert instants.seconds_of(text) == int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    assert instants.text_of(instants.seconds_of(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-21", "2026-02-30T00:00:00Z", "2026-11-21T12:00:00+", "2026-11-21T24:00:00Z", "2026-11-2१T12:00:00Z"],
)
def test_what_is_no_instant(text: str) -> None:
    """Times are read strictly."""
    assert not instants.is_instant(text)
    with pytest.raises(ValueError, match="no instant"):
        instants.seconds_of(text)


def test_canonical_form() -> None:
    """Law 42: one value, one text."""
    assert canonical(
        {"b": {2, 1}, "a": [Tier.HOLD, None, True], "c": Finding("r", Tier.NOTE, "p", "new", 1, "m", "q")}
    ) == (
        b'{"a":["hold",null,true],"b":[1,2],"c":{"line":1,"message":"m","path":"p","quote":"q","rule":"r","side":"new","tier":"note"}}'
    )
    assert b'"escalation":"e"' in canonical(EscalationOpened(change="c", escalation="e", level=0, asked=("a",)))
    assert len(digest("x")) == 64
    with pytest.raises(TypeError, match="object has no canonical form"):
        canonical(object())


def test_types_and_ids_of_events() -> None:
    """Law 42: kebab case, and the id is of the body alone."""
    assert type_name(ChangeProposed) == "dev.twohand.change-proposed.v1"
    assert len({type_name(kind) for kind in EVENTS}) == 13
    assert event_id(proposed()) == event_id(proposed(at="2027-01-01T00:00:00Z"))
    assert event_id(proposed()) != event_id(proposed(number="7"))


def test_statement_survives_its_bytes() -> None:
    """Law 17: what is signed is read back, and nothing else is."""
    statement = said("approve", "alice", proposed())
    assert parse(payload(statement)) == statement
    assert split(payload(statement) + armor("alice").encode()) == (payload(statement), armor("alice").encode())
    assert split(b"x") == (b"x", b"")
    assert len(statement_id(payload(statement))) == 64


def edited(**changes: Any) -> bytes:
    raw = json.loads(payload(said("approve", "alice", proposed())))
    raw.update(changes)
    return canonical({name: value for name, value in raw.items() if value is not ...}) + b"\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "no JSON"),
        (b"[]\n", "no twohand.statement/v1"),
        (edited(schema="twohand.statement/v2"), "no twohand.statement/v1"),
        (edited(extra=1), "missing or unknown: extra"),
        (edited(reason=...), "missing or unknown: reason"),
        (edited(reason=3), "reason is no str"),
        (edited(not_author=1), "not_author is no bool"),
        (edited(paths=[{"path": "x"}]), "a Content that is none"),
        (edited(authors=["x"]), "a Seen that is none"),
        (edited(verb="merge"), "verb 'merge' is none of"),
        (edited(time=""), "time '' is no instant"),
        (edited(expires="soon"), "expires 'soon' is no instant"),
        (payload(said("approve", "alice", proposed())) + b" ", "not in canonical form"),
        (payload(said("approve", "alice", proposed())).replace(b'{"authors', b'{ "authors'), "not in canonical form"),
        (b" " * (MAX_BYTES + 1), "bytes is over"),
    ],
)
def test_what_is_no_statement(data: bytes, why: str) -> None:
    """Law 17: edited, incomplete or merely similar bytes are nothing, and say why."""
    with pytest.raises(StatementInvalid, match=why):
        parse(data)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_statement_reader(data: bytes) -> None:
    """Law 40: garbage is StatementInvalid."""
    with pytest.raises(StatementInvalid):
        parse(data)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_signature_reader(data: bytes) -> None:
    """Law 20: garbage has no key and no presence."""
    assert sshsig.parse(data) is None
    assert sshsig.parse(sshsig.BEGIN + data + sshsig.END) is None


def test_signature_names_its_key() -> None:
    """Law 17, 20: key, namespace and touch are read from the signature itself."""
    plain = sshsig.parse(armor("alice").encode())
    assert plain == sshsig.Signature(key("alice"), "twohand", presence=False)
    sk = "sk-ssh-ed25519@openssh.com"
    assert sshsig.parse(armor("carol", kind=sk, touched=True).encode()) == sshsig.Signature(
        key("carol", sk), "twohand", presence=True
    )
    assert not sshsig.parse(armor("carol", kind=sk).encode()).presence


def test_revival_is_strict() -> None:
    """Law 38: another type than declared is no event."""
    assert reviver(int | None)(None) is None
    assert (
        reviver(Finding)(
            {"rule": "r", "tier": "hold", "path": "p", "side": "old", "line": 1, "message": "m", "quote": "q"}
        ).tier
        is Tier.HOLD
    )
    for value in ("x" * 99, True, None):
        with pytest.raises(ValueError, match="is no int"):
            reviver(int)(value)
    with pytest.raises(ValueError, match="is no list"):
        reviver(tuple[str, ...])("x")


def test_content_of_a_file() -> None:
    """Law 33: the pair that an approval saw."""
    assert Content.of(file("a")) == Content("a", "100644", "1" * 40, "100644", "2" * 40)
    assert Statement("approve", "a", "r", "t", "b", "h", "k", time=NOON).paths == ()
