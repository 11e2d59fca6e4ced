"""`twohand rules`: what looks at changes is listed, tried, begun and imported."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.fitting import Case
from bench.tables import toml
from rules import figures, risk
from rules.catalogue import all_rules
from rules.findings import Tier
from rules.own.book import RuleFile, rules_of
from rules.own.trial import failures
from streams.commands.app import run
from streams.docs_rules import HEADINGS, page
from streams.rule_skeleton import CATALOGUED, OWN
from tests.gitrepo import Repo
from tests.streams.gate import clean_environment

ROOT = Path(__file__).parents[2]
RULE = """\
[[rule]]
slug = "tenant-filter-dropped"
kind = "removed"
tier = "hold"
message = "a query no longer asks for the tenant"
pattern = 'tenant_id\\s*='
languages = ["python"]
why = "Everybody sees everything."
[[rule.holds]]
path = "app/orders.py"
old = "q.filter(tenant_id=t)"
new = "q.all()"
[[rule.passes]]
path = "app/orders.py"
old = "q.filter(tenant_id=t)"
new = "q.filter(tenant_id=t).all()"
"""
POLICY = 'version = 1\n[[requirement]]\nname = "a hand"\nfrom = ["human"]\n[rules]\ndirectory = "checks"\n'


@pytest.fixture
def repo(tmp_path, monkeypatch):
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.delenv("TWOHAND_SETTINGS", raising=False)
    made = Repo(tmp_path / "shop")
    made.write("twohand.toml", POLICY)
    made.write("checks/tenants.toml", RULE)
    made.commit("start")
    return made


@pytest.fixture
def said(capsys):
    def run_(*arguments):
        capsys.readouterr()
        code = run(["rules" if arguments[0] != "explain" else "explain", *(a for a in arguments if a != "explain")])
        out, err = capsys.readouterr()
        return code, out, err

    return run_


# -- list, explain ----------------------------------------------------------------------------------------------------


def test_list_names_every_rule_with_its_source(repo, said):
    """Those of the catalogue, and the repository's own with branch and file."""
    code, out, _ = said("list", "-f", "json", "-C", str(repo.path))
    rows = {row["rule"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["secret-added"]["source"] == "catalogue"
    assert rows["tenant-filter-dropped"] == {
        "id": "OWN", "rule": "tenant-filter-dropped", "tier": "hold", "since": "own", "languages": ["python"],
        "title": "a query no longer asks for the tenant", "source": "main:checks/tenants.toml",
    }  # fmt: skip
    assert "main:checks/tenants.toml" in said("list", "-C", str(repo.path))[1]


def test_list_shows_what_judges_and_not_what_is_being_written(repo, said):
    """The working tree is not in force; `rules test` looks at it."""
    repo.write("checks/tenants.toml", RULE.replace("tenant-filter", "landlord-filter"))
    assert "landlord" not in said("list", "-C", str(repo.path))[1]
    assert "landlord" not in said("test", "-C", str(repo.path))[2]
    assert said("test", "-C", str(repo.path))[0] == 0


def test_list_tells_of_broken_rules(repo, said):
    """Exit 2, with what is wrong; the catalogue is shown all the same."""
    repo.write("checks/tenants.toml", RULE.replace('"hold"', '"panic"'))
    repo.commit("Break")
    code, out, err = said("list", "-C", str(repo.path))
    assert code == 2
    assert 'main:checks/tenants.toml:4: rule[0].tier = "panic"' in err
    assert "secret-added" in out


def test_list_works_outside_a_repository(tmp_path, said):
    """There it is the catalogue."""
    code, out, _ = said("list", "-f", "jsonl", "-C", str(tmp_path))
    assert code == 0
    assert len(out.splitlines()) == len(all_rules())


def test_explain_tells_of_an_own_rule(repo, said):
    """Its page is made from its file."""
    code, out, _ = said("explain", "tenant-filter-dropped", "-C", str(repo.path))
    assert code == 0
    assert "Everybody sees everything." in out
    assert all(heading in out for heading in HEADINGS)
    told = json.loads(said("explain", "finding.tenant-filter-dropped", "-f", "json", "-C", str(repo.path))[1])
    assert told["source"] == "main:checks/tenants.toml"


@pytest.mark.parametrize(
    "name", ["sarif.semgrep.greeting", "finding.sarif.bandit.b101", "coverage", "finding.coverage"]
)
def test_explain_tells_of_findings_that_no_rule_of_ours_makes(said, name):
    """Another scanner's, and the note about what was not read."""
    code, out, _ = said("explain", name)
    assert code == 0
    assert "What to do" in out


def test_validate_looks_at_the_rules_that_the_policy_names(repo, capsys):
    """What would block every change is told before it is committed."""
    assert run(["policy", "validate", "-C", str(repo.path)]) == 0
    repo.write("checks/tenants.toml", RULE.replace('"hold"', '"panic"'))
    capsys.readouterr()
    assert run(["policy", "validate", "-C", str(repo.path)]) == 2
    assert 'tenants.toml:4: rule[0].tier = "panic"' in capsys.readouterr().out
    repo.remove("checks/tenants.toml")
    assert run(["policy", "validate", "-C", str(repo.path)]) == 2
    assert "holds no .toml file" in capsys.readouterr().out


def test_a_measured_rule_says_so_in_its_page(monkeypatch, said, tmp_path):
    """`explain` and the page print precision and recall where somebody measured them."""
    row = {"weakenings": 40, "recall": 0.19, "ordinary": 2, "share": 0.01, "precision": 0.95}
    monkeypatch.setattr(figures, "_figures", lambda: {"secret-added": row})
    sentence = "Precision 95% where weakenings and ordinary changes are equally many: it found 40 labelled weakenings (19.0% of them)"
    assert sentence in " ".join(said("explain", "secret-added")[1].split())
    rules = {rule.slug: rule for rule in all_rules()}
    assert "## Measured" in page(rules["secret-added"])
    assert "## Measured" not in page(rules["gate-edited"])


def test_what_the_benchmark_writes_is_what_is_read():
    """Counts, shares, and precision as if weakenings and ordinary changes were equally many."""
    held, noted = frozenset({("a-rule", Tier.HOLD)}), frozenset({("a-rule", Tier.NOTE)})
    rows = [
        ("security-fix", held),
        ("security-fix", noted),
        ("benign", held),
        *[("benign", noted)] * 7,
        ("attack", held),
    ]
    cases = [Case({"kind": kind}, (), frozenset(), seen) for kind, seen in rows]
    data = tomllib.loads(toml(risk.weights(), cases))
    row = {"weakenings": 1, "recall": 0.5, "ordinary": 1, "share": 0.125, "precision": 0.8}
    assert data["measured"] == {"a-rule": row}
    assert figures.worded(row).startswith("Precision 80% where weakenings")
    assert data["signs"] == {sign: round(weight, 3) for sign, weight in risk.weights().signs.items()}


def test_figures_are_read_from_the_data_that_ships():
    """A rule without a row is not measured; half a row is none."""
    assert figures.measured("no-such-rule") == ""
    assert figures.worded({"precision": 0.5}) == ""


# -- test -------------------------------------------------------------------------------------------------------------


def test_right_examples_pass(repo, said):
    """Exit 0 and how many were tried."""
    assert said("test", "-C", str(repo.path))[:2] == (0, "1 rule, 2 examples, 0 wrong\n")
    assert said("test", str(repo.path / "checks"))[0] == 0
    assert said("test", str(repo.path / "checks" / "tenants.toml"))[0] == 0


def test_a_wrong_example_is_shown_as_a_diff(repo, said):
    """Exit 1, with file, rule, number, what was expected and what was found."""
    repo.write("checks/tenants.toml", RULE.replace('new = "q.all()"', 'new = "q.filter(tenant_id=t)"'))
    code, out, _ = said("test", "-C", str(repo.path))
    assert code == 1
    assert out.splitlines()[0].endswith(
        "checks/tenants.toml: tenant-filter-dropped: example 1 of holds must be found, and is not"
    )
    repo.write("checks/tenants.toml", RULE.replace('new = "q.filter(tenant_id=t).all()"', 'new = "q.all()"'))
    code, out, _ = said("test", "-C", str(repo.path))
    assert code == 1
    assert "example 1 of passes must stay silent, and is found" in out
    assert "  -q.filter(tenant_id=t)\n  +q.all()\n" in out
    assert "  old line 1: a query no longer asks for the tenant: q.filter(tenant_id=t)" in out


def test_a_file_that_is_no_rule_is_exit_2(repo, said):
    """Every mistake with its place."""
    repo.write("checks/tenants.toml", RULE.replace('"removed"', '"gone"'))
    code, out, err = said("test", "-C", str(repo.path))
    assert (code, out) == (2, "")
    assert 'tenants.toml:3: rule[0].kind = "gone"' in err


def test_a_rule_without_an_example_is_named(repo, said):
    """Nobody knows whether it works."""
    repo.write("checks/tenants.toml", RULE.partition("[[rule.holds]]")[0])
    code, _, err = said("test", "-C", str(repo.path))
    assert code == 0
    assert "tenant-filter-dropped has no example that it must find" in err


@pytest.mark.parametrize("named", ["nothing", "empty"])
def test_a_place_without_rules_is_an_error(repo, said, named):
    """Silence would look like success."""
    (repo.path / "empty").mkdir()
    code, _, err = said("test", str(repo.path / named))
    assert code == 2
    assert "hint: `twohand rules new SLUG`" in err


def test_a_policy_that_names_no_directory_is_told(repo, said):
    """With the line to add."""
    repo.write("twohand.toml", POLICY.partition("[rules]")[0])
    code, _, err = said("test", "-C", str(repo.path))
    assert code == 2
    assert '[rules] directory = ".twohand/rules"' in err


# -- new --------------------------------------------------------------------------------------------------------------


def test_a_new_rule_can_be_tried_at_once(repo, said):
    """The skeleton goes where the policy says, and its examples do what they say."""
    code, out, _ = said("new", "owner-check-dropped", "-C", str(repo.path))
    assert code == 0
    assert "twohand rules test" in out
    assert said("test", "-C", str(repo.path))[:2] == (0, "2 rules, 4 examples, 0 wrong\n")


def test_a_first_rule_says_what_the_policy_lacks(repo, said):
    """Without a directory in the policy it judges nothing."""
    repo.write("twohand.toml", POLICY.partition("[rules]")[0])
    _, out, _ = said("new", "owner-check-dropped", "-C", str(repo.path))
    assert (repo.path / ".twohand/rules/owner-check-dropped.toml").is_file()
    assert '[rules] directory = ".twohand/rules"' in out


@pytest.mark.parametrize(
    ("slug", "why"),
    [("Bad Name", "is no name"), ("../x", "is no name"), ("-x", "is no name"), ("secret-added", "is a rule of the catalogue"), ("twice", "is there already")],
)  # fmt: skip
def test_what_cannot_be_a_new_rule_is_told(repo, said, slug, why):
    """Nothing is overwritten, and nothing outside the directory is written."""
    repo.write("checks/twice.toml", RULE)
    code, _, err = said("new", "-C", str(repo.path), "--", slug)
    assert code == 2
    assert why in err
    assert (repo.path / "checks/twice.toml").read_text() == RULE


def test_a_new_rule_of_the_catalogue_is_whole(tmp_path, said):
    """In twohand's own source: headings, examples, an id that nobody has; and it is found by the table."""
    (tmp_path / "rules" / "catalog").mkdir(parents=True)
    for name in ("rules/__init__.py", "rules/rule.py", "rules/catalog/__init__.py"):
        (tmp_path / name).write_text("")
    assert said("new", "owner-check-gone", "--python", "-C", str(tmp_path))[0] == 0
    names: dict = {}
    exec(compile((tmp_path / "rules/catalog/owner_check_gone.py").read_text(), "skeleton", "exec"), names)
    rule = names["OwnerCheckGone"]()
    assert [rule.__doc__.find(f"## {heading}") for heading in HEADINGS] == sorted(
        rule.__doc__.find(f"## {heading}") for heading in HEADINGS
    )
    assert -1 not in [rule.__doc__.find(f"## {heading}") for heading in HEADINGS]
    assert rule.id not in {other.id for other in all_rules()}
    assert list(failures(rule)) == []
    assert rule.HOLDS


def test_the_catalogue_is_not_elsewhere(repo, said):
    """In another repository a Python rule is a package's."""
    code, _, err = said("new", "owner-check-gone", "--python", "-C", str(repo.path))
    assert code == 2
    assert "entry point group twohand.rules" in err


def test_the_skeletons_follow_the_house_style(tmp_path):
    """What `rules new` writes is formatted and passes the linter and the type checker's syntax."""
    made = CATALOGUED.format(name="A", id="TH999", slug="a", since="0.1")
    (tmp_path / "a.py").write_text(made)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path / "a.py")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "INP001" in done.stdout or done.returncode == 0, done.stdout
    assert done.stdout.count("-->") <= 1, done.stdout
    assert rules_of((RuleFile("a", OWN.format(slug="a").encode()),))


# -- import-gitleaks --------------------------------------------------------------------------------------------------

LEAKS = """[[rules]]
id = "acme"
description = "Acme token"
regex = 'acme_[a-z]{8}'
[[rules]]
id = "ahead"
regex = 'a(?=b)'
"""


def test_gitleaks_rules_arrive_as_own_rules(tmp_path, said):
    """On standard output or in a file; what was left out is told."""
    (tmp_path / "leaks.toml").write_text(LEAKS)
    code, out, err = said("import-gitleaks", str(tmp_path / "leaks.toml"))
    assert code == 0
    assert [rule.slug for rule in rules_of((RuleFile("a", out.encode()),))] == ["gitleaks-acme"]
    assert "note: ahead: left out, its regex is no RE2 pattern" in err
    said("import-gitleaks", str(tmp_path / "leaks.toml"), "-o", str(tmp_path / "ours.toml"))
    assert said("test", str(tmp_path / "ours.toml"))[0] == 0


@pytest.mark.parametrize(
    "text", [None, "x = 1\n", LEAKS.partition('[[rules]]\nid = "ahead')[1] + '\nid = "ahead"\nregex = "(?=x)"\n']
)
def test_a_file_without_rules_is_an_error(tmp_path, said, text):
    """Exit 2, and nothing on standard output."""
    if text is not None:
        (tmp_path / "leaks.toml").write_text(text)
    code, out, err = said("import-gitleaks", str(tmp_path / "leaks.toml"))
    assert (code, out) == (2, "")
    assert "leaks.toml" in err
