"""The JUnit report: what CI systems show as tests."""

from typing import Any
from xml.etree import ElementTree as ET

from streams.sinks.render import junit
from tests.decisions import admitted, decision, finding, hostile, reason, requirement


def suite(value: dict[str, Any]) -> ET.Element:
    found = ET.fromstring(junit.render(value)).find("testsuite")
    assert found is not None
    return found


def failed(value: dict[str, Any]) -> list[str]:
    return [f"{case.get('classname')} {case.get('name')}" for case in suite(value) if case.find("failure") is not None]


def test_admitted_has_no_failure() -> None:
    """Every requirement is a case that passes, and so is the decision."""
    found = suite(admitted() | {"findings": [finding("n", "note")]})
    assert (found.get("tests"), found.get("failures"), found.get("skipped")) == ("3", "0", "0")
    assert [case.get("name") for case in found][:2] == ["admitted", "a hand"]


def test_what_is_missing_fails_with_its_remedy() -> None:
    """The outcome, the unmet requirement, each other reason and each finding that is no note."""
    rows = [reason("owner.required", "src/a.py", "owners", owners=["alice"]), reason("provenance.missing", "c0ffee")]
    value = decision(reasons=rows, findings=[finding(), finding("n", "note")])
    assert failed(value) == [
        "twohand.decision escalated",
        "twohand.requirement owners",
        "twohand.reason provenance.missing c0ffee",
        "twohand.finding auth-check-removed src/a.py:5 (old)",
    ]
    text = suite(value).find("testcase/failure")
    assert text is not None
    assert "twohand approve" in (text.text or "")


def test_totals_are_counted() -> None:
    """What does not apply is skipped, and nothing else is."""
    found = suite(decision(requirements=[requirement("a", state="not-applicable"), requirement("b")], findings=[]))
    assert (found.get("tests"), found.get("failures"), found.get("skipped")) == ("3", "2", "1")


def test_nothing_hostile_breaks_the_xml() -> None:
    """Control characters, angle brackets and odd bytes are escaped."""
    value = hostile()
    value["findings"].append(finding("</testcase>]]>", message="<&\udcff\x00\ufffe"))
    found = suite(value)
    assert found.get("failures") == str(len(failed(value)))
    assert all(text.isprintable() for case in found for text in case.attrib.values())
