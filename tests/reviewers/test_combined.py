"""The last look at an approval: each thing that can be wrong takes it, by itself (law 40)."""

import pytest

from reviewers.combined import sealed
from reviewers.judging import Coverage, Dropped, Status, Verdict, Word
from rules.findings import Uncovered

WHOLE = Coverage(files=2, files_seen=2, lines=9, lines_seen=9, removed=4, removed_seen=4)
GOOD = Verdict(Status.COMPLETED, Word.APPROVE, "fine", coverage=WHOLE)
FAULTS = {
    "status": ({"status": Status.TIMEOUT}, "the review is timeout"),
    "uncovered": ({"uncovered": (Uncovered("a.bin", "binary content"),)}, "1 files could not be shown"),
    "a line": ({"coverage": WHOLE._replace(lines_seen=8)}, "8 of 9 changed lines"),
    "a removed line": ({"coverage": WHOLE._replace(removed_seen=3)}, "no approval"),
    "a file": ({"coverage": WHOLE._replace(files_seen=1)}, "no approval"),
    "nothing at all": ({"coverage": Coverage()}, "0 of 0"),
    "mismatch": ({"mismatch": "a was declared, b answered"}, "a was declared, b answered"),
    "dropped": ({"dropped": (Dropped("x", "y"),)}, "findings were dropped"),
}


def test_an_approval_without_a_fault_stands():
    """The one way."""
    assert sealed(GOOD) == GOOD


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_takes_the_approval(name):
    """Whatever the parts before have overlooked; the reason comes first."""
    changed, words = FAULTS[name]
    found = sealed(GOOD._replace(**changed))
    assert found.verdict is Word.ABSTAIN
    assert words in found.why
    assert found.why.startswith("no approval")


@pytest.mark.parametrize("status", Status)
def test_an_objection_stands_whatever_else_failed(status):
    """Only approvals are taken."""
    said = Verdict(status, Word.OBJECT, "broken")
    assert sealed(said) == said
