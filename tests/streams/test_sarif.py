"""Another scanner's SARIF: what of it speaks about this change, and how loud (law 26, 35)."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.findings import Tier
from rules.rule import Diff
from streams.sources import sarif
from streams.sources.sarif import SarifInvalid, reports

OLD = "one\ntwo\nthree\nfour\nfive\n"
NEW = "one\ntwo\nTHREE\nfour\nfive\n"
CHANGE = [Diff("src/a b.py", OLD, NEW).blobs(), Diff("gone.py", "x\n", None).blobs()]


def result(uri="src/a%20b.py", line=3, **more):
    region = {"region": {"startLine": line}} if line else {}
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}, **region}}
    return {
        "ruleId": "py/Sql Injection",
        "level": "error",
        "message": {"text": "a query\nis built"},
        "locations": [place],
    } | more


def log(*results, driver=None, **run):
    tool = {"driver": driver or {"name": "Semgrep OSS"}}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": list(results), **run}]}).encode()


def found(data, error=Tier.HOLD, root=None):
    return [
        finding for report in reports(data, "x.sarif", CHANGE, error=error, root=root) for finding in report.findings
    ]


def test_an_error_on_a_changed_line_holds():
    """Its rule is named after tool and rule, its text is one line, its quote is ours."""
    (only,) = found(log(result()))
    assert only.tier is Tier.HOLD
    assert (only.rule, only.path, only.side, only.line) == (
        "sarif.semgrep-oss.py-sql-injection",
        "src/a b.py",
        "new",
        3,
    )
    assert (only.message, only.quote) == ("a query\\u{a}is built", "THREE")


@pytest.mark.parametrize("tier", list(Tier))
def test_the_policy_says_what_an_error_weighs(tier):
    """Never more than the policy's `[rules] sarif`."""
    assert found(log(result()), error=tier)[0].tier is tier


@pytest.mark.parametrize(
    "more",
    [
        {"level": "warning"}, {"level": "note"}, {"level": "none"}, {"kind": "review"}, {"kind": "pass", "level": "none"},
        {"level": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_error_is_a_note(more):
    """Warnings, notes and results that are no failures inform."""
    assert [finding.tier for finding in found(log(result(**more)))] == [Tier.NOTE]


def test_a_rule_says_what_its_results_weigh_where_they_do_not():
    """`defaultConfiguration.level` of the rule, else warning."""
    quiet = result()
    del quiet["level"]
    rules = [{"id": "py/Sql Injection", "defaultConfiguration": {"level": "error"}}]
    assert found(log(quiet))[0].tier is Tier.NOTE
    assert found(log(quiet, driver={"name": "x", "rules": rules}))[0].tier is Tier.HOLD


@pytest.mark.parametrize(
    ("line", "tier"), [(1, "note"), (2, "note"), (3, "hold"), (4, "note"), (0, "hold"), (9999, "note")]
)
def test_a_result_off_the_changed_lines_is_a_note(line, tier):
    """Between the first and the last changed line it counts, and where it speaks of the whole file."""
    assert found(log(result(line=line)))[0].tier.value == tier


def test_a_result_where_something_was_taken_away_counts():
    """A removal has no line of its own: the place where it was is what the scanner sees."""
    change = [Diff("a.py", "def f():\n    check()\n    go()\n", "def f():\n    go()\n").blobs()]
    (report,) = reports(log(result("a.py", 2)), "x", change, error=Tier.HOLD, root=None)
    assert report.findings[0].tier is Tier.HOLD


def test_a_region_that_reaches_into_the_change_counts():
    """Regions are ranges."""
    spread = result()
    spread["locations"][0]["physicalLocation"]["region"] = {"startLine": 1, "endLine": 5}
    assert found(log(spread))[0].tier is Tier.HOLD


BASES = {
    "originalUriBaseIds": {"%SRCROOT%": {"uri": "file:///elsewhere/"}, "SUB": {"uri": "src/", "uriBaseId": "%SRCROOT%"}}
}


@pytest.mark.parametrize(
    ("artifact", "run"),
    [
        ({"uri": "./src/x/../a%20b.py"}, {}),
        ({"uri": "src/a b.py"}, {}),
        ({"uri": "src/a%20b.py", "uriBaseId": "%SRCROOT%"}, {}),
        ({"uri": "src/a%20b.py", "uriBaseId": "%SRCROOT%"}, BASES),
        ({"uri": "a%20b.py", "uriBaseId": "SUB"}, BASES),
        ({"uri": "file:///repo/src/a%20b.py"}, {}),
        ({"uri": "/repo/src/a%20b.py"}, {}),
        ({"uri": "a%20b.py", "uriBaseId": "HERE"}, {"originalUriBaseIds": {"HERE": {"uri": "file:///repo/src"}}}),
        ({"index": 0}, {"artifacts": [{"location": {"uri": "src/a%20b.py"}}]}),
    ],
    ids=str,
)
def test_a_place_is_found_however_it_is_written(artifact, run):
    """Bases, escapes, absolute addresses below the working tree, and indexes into the artifacts."""
    one = result()
    one["locations"][0]["physicalLocation"]["artifactLocation"] = artifact
    assert [finding.path for finding in found(log(one, **run), root=Path("/repo"))] == ["src/a b.py"]


@pytest.mark.parametrize(
    "uri",
    [
        "../src/a%20b.py",
        "file:///other/src/a%20b.py",
        "https://host/src/a%20b.py",
        "C:/src/a.py",
        "gone.py",
        "lib/x.py",
        "",
    ],
)
def test_results_elsewhere_are_counted_in_one_note(uri):
    """What lies outside, or in files that this change does not touch, informs in one sentence."""
    found_ = found(log(result(uri), result(uri)), root=Path("/repo"))
    assert [(finding.tier, finding.path) for finding in found_] == [(Tier.NOTE, "")]
    assert found_[0].message.startswith("2 results of this scanner are in no file of this change")


def test_a_base_that_leads_to_itself_ends():
    """A circle of bases is walked a few steps, and no more."""
    one = result()
    one["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] = "A"
    assert found(log(one, originalUriBaseIds={"A": {"uri": "x/", "uriBaseId": "A"}}))[0].tier is Tier.NOTE


def test_a_suppression_is_not_heard():
    """A waiver belongs to people, who sign it: a comment that the scanner obeyed changes nothing (law 35)."""
    (only,) = found(log(result(suppressions=[{"kind": "inSource", "status": "accepted"}])))
    assert only.tier is Tier.HOLD


def test_what_was_there_once_is_not_counted():
    """`baselineState: absent` says that a result is gone."""
    assert found(log(result(baselineState="absent"))) == []


def test_a_scanner_that_failed_holds():
    """Its silence is no evidence (law 40)."""
    (only,) = found(log(invocations=[{"executionSuccessful": False}]))
    assert (only.tier, only.path) == (Tier.HOLD, "")
    without = json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]}).encode()
    assert found(without)[0].tier is Tier.HOLD


def test_runs_of_several_tools_are_several_reviewers():
    """Each tool is its own reviewer; a silent one is one too."""
    one, two = json.loads(log(result())), json.loads(log(driver={"name": "Bandit"}))
    both = json.dumps({"version": "2.1.0", "runs": one["runs"] + two["runs"]}).encode()
    told = reports(both, "x", CHANGE, error=Tier.HOLD, root=None)
    assert [(report.reviewer, len(report.findings)) for report in told] == [
        ("sarif.semgrep-oss", 1),
        ("sarif.bandit", 0),
    ]


def test_too_many_findings_say_how_many():
    """A cap is a finding of the tier that it cut."""
    rows = found(log(*(result(ruleId=f"r{n}") for n in range(sarif.MOST_FINDINGS + 3))))
    assert len(rows) == sarif.MOST_FINDINGS + 1
    assert (rows[-1].tier, rows[-1].message[:2]) == (Tier.HOLD, "3 ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no JSON"), (b"\xff", "is no JSON"), (b"[" * 100_000, "is no JSON"), (b"[]", "it names no version"),
        (b'{"version": "2.0.0", "runs": []}', 'its version is "2.0.0"'), (b'{"version": "2.1.0"}', "holds no run"),
        (b'{"version": "2.1.0", "runs": [1]}', "holds no run"), (b'{"version": "2.1.0", "runs": [{}]}', "KeyError 'tool'"),
        (log({"ruleId": "x"}) + b"]", "is no JSON"), (log(result(message=None)), "is no SARIF"),
        (log(result(line="3")), '"3" is no line number'), (log(result(line=-1)), "-1 is no line number"),
        (log(1), "is no SARIF"), (log(result(), driver={"name": 7}), "is no SARIF"),
        (log(*[{}] * (sarif.MOST_RESULTS + 1)), "more than 50000"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_bad_file_is_an_error_with_a_reason(data, said):
    """Nothing of it is guessed; exit code 2."""
    with pytest.raises(SarifInvalid) as caught:
        found(data)
    assert said in caught.value.message
    assert caught.value.exit_code == 2


def test_a_file_that_is_absent_or_too_large_is_an_error(tmp_path, monkeypatch):
    """It is named, with what to do."""
    with pytest.raises(SarifInvalid, match="cannot be read"):
        sarif.read(tmp_path / "none.sarif", CHANGE, error=Tier.HOLD, root=None)
    monkeypatch.setattr(sarif, "LARGEST", 10)
    (tmp_path / "large.sarif").write_bytes(b" " * 11)
    with pytest.raises(SarifInvalid, match="is over"):
        sarif.read(tmp_path / "large.sarif", CHANGE, error=Tier.HOLD, root=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["uri", "uriBaseId", "index", "startLine", "endLine", "region", "artifactLocation", "physicalLocation", "locations",
         "message", "text", "ruleId", "rule", "level", "kind", "id"]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.lists(JSON, max_size=3), JSON)
def test_no_json_breaks_the_reader(results, bases):
    """Any results are findings or a clear error."""
    with suppress(SarifInvalid):
        assert all(finding.side == "new" for finding in found(log(*results, originalUriBaseIds=bases)))


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 12))
def test_any_line_of_any_change_has_a_tier(old, new, line):
    """Whatever the sides are like, a result on a line that differs is never a note."""
    change = [Diff("a.py", old, new).blobs()]
    (report,) = reports(log(result("a.py", line)), "x", change, error=Tier.HOLD, root=None)
    before, after = old.split(b"\n"), new.split(b"\n")
    if (
        0 < line <= len(after)
        and line <= len(before)
        and before[line - 1] != after[line - 1]
        and len(before) == len(after)
    ):
        assert report.findings[0].tier is Tier.HOLD
