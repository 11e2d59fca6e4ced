"""What people are told (DESIGN 9): complete, harmless, bounded, without secrets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sinks.alerts.message import KINDS, MOST_LINES, Gone, Message, as_text, digest_of, from_text, probe
from streams.sinks.alerts.said import fitted, lines
from tests.streams import alerting
from tests.streams.alerting import ALICE, AT, BOB, TOKEN, decision, message


def test_a_message_says_all_that_a_person_needs():
    """What, why in words with its code, which path, which check is gone, who is asked, what to type, one link."""
    assert list(lines(message())) == [
        "Your answer is needed: simpler-helper -> main: an owner must answer for shop/helpers.py: alice or bob",
        "asked: alice, bob",
        "",
        "why",
        "  shop/helpers.py:3 needs an owner's answer (finding.auth-check-removed)",
        "  an owner must answer for shop/helpers.py: alice or bob (owner.required)",
        "",
        "paths",
        "  shop/helpers.py",
        "",
        "what is gone or came instead",
        "  - shop/helpers.py:3  if request.email not in account.verified_emails:",
        "",
        "what to do (after reading it)",
        "  twohand approve 70d441cee582 --target main --as alice",
        "",
        "https://gate.example.com/changes/cccc",
    ]


def test_an_end_says_how_it_ended_and_asks_for_nothing():
    """Whoever reads it in the morning has nothing to do."""
    ended = message("resolved")
    assert ended.what == "simpler-helper -> main: approved by alice; nobody needs to answer any more"
    assert ended.command == ""
    assert message("acknowledged").what == f"simpler-helper -> main: acknowledged by alice until {alerting.UNTIL}"


def test_a_deletion_is_told_as_one():
    """Whoever is woken reads what is to be deleted, not the name that git has for nothing."""
    found = decision()
    found["change"] |= {"branch": None, "head": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"}
    assert message(found=found).what.startswith("deletes main: ")
    assert message("resolved", found=found).what.startswith("deletes main: approved by alice")


def test_secrets_are_in_no_message():
    """A credential in a quote, a reason or a path is withheld before it leaves the machine."""
    found = decision()
    found["findings"][0]["quote"] = f'token = "{TOKEN}"'
    found["reasons"].append(
        {
            "code": "veto",
            "subject": "bob",
            "requirement": "",
            "values": {"reason": f"you left {TOKEN} in"},
            "remedy": "",
        }
    )
    found["owners"][0]["path"] = f"keys/{TOKEN}.txt"
    text = as_text(message(found=found))
    assert TOKEN not in text
    assert "withheld" in text


HOSTILE = "\x1b[2J\r\n\u202eevil\x00 <!channel> \ud800 `rm -rf /`"


def test_hostile_names_stay_on_their_line():
    """Branch, path, quote and names of others move no cursor and begin no line."""
    found = decision()
    found["change"]["branch"] = found["findings"][0]["quote"] = found["findings"][0]["path"] = HOSTILE
    for text in lines(message(found=found, by=HOSTILE)):
        assert text.isprintable()


def test_a_command_that_a_shell_would_take_otherwise_is_not_shown():
    """Only a line that does what it shows is offered for copying."""
    found = decision()
    for reason in found["reasons"]:
        reason["remedy"] = "twohand approve $(reboot)"
    assert message(found=found).command == ""


def test_what_is_too_much_is_counted():
    """A change of thousands of files gives a message that can be read, and says how much is not in it."""
    found = decision()
    found["findings"] = [{**found["findings"][0], "path": f"src/{n}.py"} for n in range(5000)]
    told = message(found=found)
    assert len(told.paths) == MOST_LINES + 1
    assert told.paths[-1] == "... and 4981 more"
    assert len(told.gone) == MOST_LINES
    assert len(as_text(told)) < 30_000


def test_removed_lines_come_first():
    """What is gone matters more than what came instead."""
    found = decision()
    found["findings"] = [{**found["findings"][0], "side": side} for side in ("new", "old", "new")]
    assert [gone.side for gone in message(found=found).gone] == ["old", "new", "new"]


def test_a_digest_stands_for_many():
    """One message lists what else waits for the same people."""
    envelope = alerting.Envelope("many", "e", AT, (ALICE,))
    told = digest_of([message(), message()], envelope)
    assert (told.kind, told.dedup, told.what) == ("digest", "many", "2 changes wait for alice")
    assert told.why == (message().what, message().what)
    assert told.paths == ("shop/helpers.py",)
    assert digest_of([], envelope).what == "0 changes wait for alice"


def test_a_test_says_that_it_is_one():
    """Nobody is left wondering."""
    assert probe("oncall", AT).what == "Test of the alert route oncall: nothing has happened"
    assert probe("oncall", AT) == probe("oncall", AT)


TEXTS = st.text(max_size=40)
MESSAGES = st.builds(
    Message, st.sampled_from(KINDS), TEXTS, TEXTS, TEXTS, TEXTS,
    why=st.lists(TEXTS, max_size=3).map(tuple), paths=st.lists(TEXTS, max_size=3).map(tuple),
    gone=st.lists(st.builds(Gone, TEXTS, st.integers(0, 9), st.sampled_from(["old", "new"]), TEXTS, TEXTS), max_size=2).map(tuple),
    asked=st.sampled_from([(), (ALICE,), (ALICE, BOB)]), severity=TEXTS, by=TEXTS,
)  # fmt: skip


@given(MESSAGES)
def test_an_outbox_gives_back_what_was_put(told):
    """A message survives as one line of ASCII."""
    text = as_text(told)
    assert text.isascii()
    assert "\n" not in text
    assert from_text(text) == told


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"kind":1}', "[" * 5])
def test_what_is_no_message_is_said_to_be_none(text):
    """A damaged row is an error with a reason, never a message with holes."""
    with pytest.raises(ValueError, match=r".+"):
        from_text(text)


def test_an_unknown_kind_is_no_message():
    """A kind of a later version is not sent as something else."""
    data = {**json.loads(as_text(message())), "kind": "shout"}
    with pytest.raises(ValueError, match="shout"):
        from_text(json.dumps(data))


@given(st.lists(TEXTS, max_size=30), st.integers(30, 200))
def test_rows_fit_or_are_counted(rows, most):
    """Nothing is cut within a row."""
    text = fitted(rows, most)
    assert len(text) <= most
    kept = [row for row in text.split("\n") if not row.startswith("... and ")] if rows else []
    assert "more" in text or kept == "\n".join(rows).split("\n") or not rows
