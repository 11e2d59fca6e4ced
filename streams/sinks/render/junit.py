"""A decision as a JUnit report: every requirement, finding and reason is a case, and the decision itself is one more.

What is missing is a failure, never an error or a skip; a requirement that does not apply is skipped.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from streams.sinks.render import words
from streams.sinks.render.safe import shown

Row = Mapping[str, Any]
LONGEST = 1000  # characters of a text


def render(decision: Row) -> str:
    """The XML document, with its last line feed."""
    suite = Element("testsuite", name=f"twohand {_branch(decision)}", timestamp=decision["decided_at"].rstrip("Z"))
    for case in _cases(decision):
        suite.append(case)
    totals = {
        "tests": str(len(suite)), "failures": str(len(suite.findall("testcase/failure"))), "errors": "0",
        "skipped": str(len(suite.findall("testcase/skipped"))), "time": "0",
    }  # fmt: skip
    suite.attrib.update(totals)
    suites = Element("testsuites", {"name": "twohand", **{key: totals[key] for key in ("tests", "failures", "errors")}})
    suites.append(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _branch(decision: Row) -> str:
    return shown(decision["change"]["target"].removeprefix("refs/heads/"))


def _cases(decision: Row) -> Iterator[Element]:
    outcome, reasons = decision["outcome"], decision["reasons"]
    told = "\n".join(dict.fromkeys(_told(reason) for reason in reasons))
    yield _case("decision", outcome, failure=None if outcome == "admitted" else (outcome, told))
    for requirement in decision["requirements"]:
        yield _requirement(requirement, reasons)
    for reason in reasons:
        if not reason["requirement"] and not reason["code"].startswith("finding."):
            yield _case("reason", f"{reason['code']} {reason['subject']}", failure=(words.line(reason), _told(reason)))
    for finding in decision["findings"]:
        yield _finding(finding)


def _requirement(requirement: Row, reasons: list[Row]) -> Element:
    name, state = requirement["name"], requirement["state"]
    if state == "met":
        return _case("requirement", name)
    if state == "not-applicable":
        case = _case("requirement", name)
        SubElement(case, "skipped", message="it does not apply to this change")
        return case
    count = f"{requirement['counted']} of {requirement['needed']} given"
    told = "\n".join(dict.fromkeys(_told(reason) for reason in reasons if reason["requirement"] == name))
    return _case("requirement", name, failure=(count, told))


def _finding(finding: Row) -> Element:
    place = f"{shown(finding['path'])}:{finding['line']} ({finding['side']})"
    text = f"{place}: {shown(finding['message'], LONGEST)}"
    failure = None if finding["tier"] == "note" else (shown(finding["message"], LONGEST), text)
    case = _case("finding", f"{finding['rule']} {place}", failure=failure)
    if failure is None:
        SubElement(case, "system-out").text = text
    return case


def _told(reason: Row) -> str:
    remedy = f"\n  {shown(reason['remedy'], LONGEST)}" if reason["remedy"] else ""
    return f"{shown(reason['code'], 60)}: {words.line(reason)}{remedy}"


def _case(kind: str, name: str, *, failure: tuple[str, str] | None = None) -> Element:
    case = Element("testcase", classname=f"twohand.{kind}", name=shown(name), time="0")
    if failure:
        SubElement(case, "failure", message=shown(failure[0], LONGEST), type=kind).text = failure[1]
    return case
