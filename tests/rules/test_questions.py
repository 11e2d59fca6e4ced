"""What a decision asks people and how that ends, and links that acknowledge and do nothing else (law 17, 20, 35, 39)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import ack_link, escalation, instants, questions
from rules.ack_link import Grant, LinkRefused
from rules.questions import BREAK_GLASS, Stand, asked, ending, of_record
from tests.decisions import author, decision, reason
from tests.rules.lawkit import NOON

START = instants.seconds_of(NOON)
SECRET = b"s" * 32
GRANT = Grant("e" * 64, "carol", 2, START + 3600)


def decided(outcome="escalated", minute=0, key="k1", **parts):
    whole = decision(outcome=outcome, decided_at=instants.later(NOON, 60 * minute), **parts)
    return {**whole, "change": {**whole["change"], "content_key": key}}


def test_an_escalated_decision_asks_its_owners_since_it_asks():
    """The question is as old as the first of the decisions that asked it without a break."""
    rows = [decided(minute=0), decided("blocked", 1), decided(minute=2), decided(minute=3)]
    found = asked(rows)
    assert (found.since, found.asks, found.content) == (START + 120, ("alice",), "k1")
    assert found.reasons == ("owner.required",)
    assert asked([decided(key="k0"), decided(minute=5)]).since == START + 300


@pytest.mark.parametrize("outcome", ["admitted", "blocked", "pending"])
def test_other_decisions_ask_nobody(outcome):
    """Only what is escalated asks people."""
    assert asked([decided(), decided(outcome, 1)]) is None
    assert asked([]) is None


def test_owners_are_asked_where_the_escalation_names_nobody():
    """A record without an escalation asks the owners whose answer is awaited."""
    found = of_record(decided("pending", escalation=None), START, (BREAK_GLASS,))
    assert (found.asks, found.reasons[0]) == (("alice",), BREAK_GLASS)


def test_severity_follows_the_reasons():
    """What concerns owners, findings or the gate is never low; an approval that is missing can wait for the morning."""
    assert not asked([decided()]).low
    assert asked([decided(reasons=[reason("approval.missing", "x"), reason("coverage.partial", "y")])]).low
    assert not asked([decided(reasons=[reason("approval.missing", "x"), reason("finding.some", "y")])]).low
    assert not asked([decided(reasons=[])]).low


def test_whose_work_it_is():
    """The session of the authors; without one, who answers for the change; else nobody."""
    assert asked([decided()]).session == "claude-web:1"
    answering = author("claude") | {"session": None, "principal": "alice", "accountable": True}
    assert asked([decided(authors=[answering])]).session == "alice"
    assert asked([decided(authors=[author("x") | {"session": None}])]).session == ""


@pytest.mark.parametrize(
    ("stand", "how"),
    [
        (Stand("k1", "escalated"), ""),
        (Stand("k1", "admitted"), "approved"),
        (Stand("k1", "admitted", waived=True), "waived"),
        (Stand("k1", "blocked"), "refused"),
        (Stand("k1", "pending"), "answered"),
        (Stand("k2", "escalated"), "reworked"),
        (Stand("k1", "escalated", withdrawn=True), "withdrawn"),
        (Stand("k1", "admitted", landed=True), "landed"),
    ],
)
def test_how_a_question_ends(stand, how):
    """Approval, waiver, rework, withdrawal and landing end it; an escalated decision does not."""
    one = escalation.question("e", "c1", "k1", START)
    assert ending(one, stand) == how
    assert not how or how in escalation.HOWS


def test_break_glass_is_a_debt_until_somebody_looked():
    """Law 35: landing does not end what a break-glass skipped."""
    one = escalation.Escalation(
        "e", "c1", "k1", since=START, opened=START, newest=START, reasons=(BREAK_GLASS, "owner.required")
    )
    assert ending(one, Stand("k1", "admitted", waived=True, landed=True)) == ""
    assert ending(one, Stand("k2", "escalated")) == ""
    assert questions.LOW


def refused(text, now=START, secret=SECRET):
    with pytest.raises(LinkRefused) as caught:
        ack_link.read(secret, text, now)
    return str(caught.value)


def test_a_link_says_what_it_grants_until_it_ends():
    """Whoever holds it may acknowledge this lapse in this name until it expires, not a second longer."""
    link = ack_link.written(SECRET, GRANT)
    assert ack_link.read(SECRET, link, START + 3599) == GRANT
    assert refused(link, START + 3600) == "it has expired"
    assert set(link) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_a_link_of_another_secret_opens_nothing():
    """Without the secret nobody makes one, and a secret that is too short makes none."""
    link = ack_link.written(SECRET, GRANT)
    assert "altered" in refused(link, secret=b"t" * 32)
    assert "altered" in refused(link, secret=b"")
    with pytest.raises(ValueError, match="fewer than 32"):
        ack_link.written(b"short", GRANT)


@pytest.mark.parametrize("text", ["", ".", "a.b", "a" * 3000 + ".b", "\u00e9.\u00e9", "AA.A", "no dot", "=.="])
def test_what_is_no_link_is_refused(text):
    """Rubbish of any length is refused with a reason."""
    assert refused(text).startswith("it is")


@given(st.data())
def test_an_altered_link_opens_nothing(data):
    """Whatever character is changed, added or dropped, the link is refused."""
    link = ack_link.written(SECRET, GRANT)
    at = data.draw(st.integers(0, len(link) - 1))
    char = data.draw(st.sampled_from("abXY019-_.=+/ "))
    changed = data.draw(
        st.sampled_from([link[:at] + char + link[at + 1 :], link[:at] + char + link[at:], link[:at] + link[at + 1 :]])
    )
    if changed != link:
        refused(changed)


@given(st.text(max_size=80), st.text(max_size=40), st.integers(0, 99), st.integers(START + 1, START + 10**6))
def test_every_grant_reads_back(name, by, lapse, expires):
    """Names of any letters travel in a link."""
    grant = Grant(name, by, lapse, expires)
    try:
        link = ack_link.written(SECRET, grant)
    except UnicodeEncodeError:
        return
    if len(link) <= ack_link.LONGEST:
        assert ack_link.read(SECRET, link, START) == grant
