"""Timers over the case store do what they do over a journal; and what only the escalator has: it never decides."""

from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings

from rules.events import DecisionMade
from streams.engines.kafka.store import Store
from tests.kafka.casebooks import Played
from tests.streams.timers_contract import *  # noqa: F403 - the suite over this record
from tests.streams.timers_contract import MOVES, whatever_happens

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def url(postgres):
    url = postgres.fresh("timers")
    with Store(url) as store:
        store.migrate()
    return url


@pytest.fixture
def another(url):
    return lambda: Played(url)


@pytest.fixture
def empty(another):
    """The case store, emptied; what the escalator said of itself is never a decision."""

    @contextmanager
    def made():
        with another() as opened:
            opened.clear()
            yield opened
            kinds = {row[0] for row in opened.ask("select distinct type from said")}
            assert not [kind for kind in kinds if "escalation" not in kind and "deadline" not in kind]

    return made


@pytest.fixture
def journal(empty):
    with empty() as opened:
        yield opened


@given(MOVES)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_nobody_is_told_twice_and_nothing_is_forgotten(empty, steps):
    """Opening, acknowledging, answering, restarts and clocks that go back, in any order."""
    whatever_happens(empty, steps)


def test_the_escalator_cannot_decide(journal):
    """Law 38: only what its topic carries can be said."""
    with pytest.raises(ValueError, match="the escalator does not say"), journal.transaction() as db:
        journal.append_in(db, [DecisionMade(change="c", content_key="k", outcome="admitted", decision="{}")])
