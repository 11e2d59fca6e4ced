"""Own rules, rules of packages and other scanners, through the door: `twohand review` on a real repository."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rules.record import record
from streams.commands.app import run
from streams.desk import Asked, Desk
from streams.sources.git import Repository

DIRECTORY = "quality/checks"
RULE = """\
[[rule]]
slug = "greeting-added"
kind = "added"
tier = "hold"
message = "people are greeted"
pattern = 'greet\\('
"""


def lay(gate, rule=RULE, *, directory=DIRECTORY, branch="main", file="greetings.toml"):
    """Put a policy that names a directory, and a rule in it, on a branch; `feature` is checked out again."""
    gate.repo.checkout(branch)
    gate.repo.write("twohand.toml", f'{gate.policy}[rules]\ndirectory = "{directory}"\n')
    if rule is not None:
        gate.repo.write(f"{directory}/{file}", rule)
    gate.repo.commit("Rules")
    gate.repo.checkout("feature")


def reviewed(gate, *arguments):
    said = gate.run("review", "--format", "json", *arguments)
    assert said.out, said.err
    return json.loads(said.out)


def reasons(decision, code):
    return [reason for reason in decision["reasons"] if reason["code"] == code]


def rules(decision):
    return {finding["rule"] for finding in decision["findings"]}


# -- own rules --------------------------------------------------------------------------------------------------------


def test_an_own_rule_of_the_target_holds(gate):
    """It is judged in the same scan, its owner is asked, and the record names what was read."""
    lay(gate)
    decision = reviewed(gate)
    assert decision["outcome"] == "escalated"
    (reason,) = reasons(decision, "finding.greeting-added")
    assert reason["values"]["message"] == "people are greeted"
    assert any(source.startswith(f"main:{DIRECTORY} (") for source in decision["read_from"])


def test_a_decision_with_own_rules_replays_without_its_repository(gate, tmp_path):
    """Law 38: what it rests on is in the events."""
    lay(gate)
    reviewed(gate)
    exported = gate.run("journal", "export")
    (tmp_path / "events.jsonl").write_text(exported.out)
    assert run(["replay", str(tmp_path / "events.jsonl")]) == 0


def test_rules_that_the_change_brings_do_not_judge_it(gate):
    """Law 36: never the change's own; and its edit of the directory needs an owner (law 29)."""
    lay(gate)
    gate.repo.git("rebase", "-q", "main")
    gate.repo.remove(f"{DIRECTORY}/greetings.toml")
    gate.repo.commit("No more rules")
    decision = reviewed(gate)
    assert "greeting-added" in rules(decision)
    assert [reason["subject"] for reason in reasons(decision, "policy.self-edit")] == [f"{DIRECTORY}/greetings.toml"]


@pytest.mark.parametrize("path", ["Quality/Checks/new.toml", "quality/checks/deep/er.toml", "quality/checks/README.md"])
def test_every_path_of_the_directory_is_the_gates_own(gate, path):
    """Law 29: in any spelling, at any depth."""
    lay(gate)
    gate.repo.write(path, "x")
    gate.repo.commit("More")
    assert path in [reason["subject"] for reason in reasons(reviewed(gate), "policy.self-edit")]


def test_a_broken_rule_file_blocks_and_names_its_line(gate):
    """Fail closed: `policy.invalid`, with file, line, key, value and what is allowed."""
    lay(gate, RULE.replace('"hold"', '"panic"'))
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    said = reasons(decision, "policy.invalid")[0]["values"]["message"]
    assert said == (
        f'main:{DIRECTORY}/greetings.toml:4: rule[0].tier = "panic": '
        "is not one of the allowed values (allowed: note, hold, block)"
    )


def test_a_directory_without_rules_blocks(gate):
    """Who took the files away did not switch the rules off."""
    lay(gate, None)
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "holds no .toml file" in reasons(decision, "policy.invalid")[0]["values"]["message"]


def test_a_link_is_no_rule_file(gate):
    """A symbolic link could lead to the change's own files."""
    lay(gate)
    gate.repo.checkout("main")
    gate.repo.link(f"{DIRECTORY}/link.toml", "../../notes.toml")
    gate.repo.commit("Link")
    gate.repo.checkout("feature")
    assert "no plain file" in reasons(reviewed(gate), "policy.invalid")[0]["values"]["message"]


def test_the_rules_of_default_and_target_both_judge(gate):
    """Law 36: the worst of both stands, on a branch that has rules of its own."""
    lay(gate)
    gate.repo.git("branch", "release", "main")
    gate.repo.checkout("release")
    gate.repo.write(f"{DIRECTORY}/greetings.toml", RULE.replace("greeting-added", "greeting-released"))
    gate.repo.commit("Other rules")
    gate.repo.checkout("feature")
    decision = reviewed(gate, "--target", "release")
    assert {"greeting-added", "greeting-released"} <= rules(decision)


def test_the_organisations_floor_may_name_the_directory(gate, tmp_path):
    """It is the target's; a repository without it breaks nothing."""
    floor = tmp_path / "floor.toml"
    floor.write_text(
        f'version = 1\n[rules]\ndirectory = "{DIRECTORY}"\n[[requirement]]\nname = "all"\nfrom = ["human"]\n'
    )
    settings = gate.repo.path / ".git" / "twohand" / "settings.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f'[floor]\npolicy = "{floor}"\n')
    assert not reasons(reviewed(gate), "policy.invalid")
    gate.repo.checkout("main")
    gate.repo.write(f"{DIRECTORY}/greetings.toml", RULE)
    gate.repo.commit("Rules")
    gate.repo.checkout("feature")
    assert "greeting-added" in rules(reviewed(gate))


@pytest.mark.parametrize("directory", ["/etc", "../rules", "a/../b", ".git/rules", "a//b"])
def test_a_directory_outside_the_tree_is_no_policy(gate, directory):
    """The key names a place inside the repository."""
    lay(gate, None, directory=directory)
    assert "must be a directory inside the repository" in str(reasons(reviewed(gate), "policy.invalid"))


# -- packages ---------------------------------------------------------------------------------------------------------

MODULE = '''
from rules.findings import Tier
from rules.rule import Diff, Rule


class NoGreeting(Rule):
    """People are greeted."""

    id, slug, tier, since = "ACME1", "acme-greeting", Tier.HOLD, "1.0"
    HOLDS = (Diff("a.py", "", "greet(x)"),)
    PASSES = (Diff("a.py", "", "x"),)
    triggers = (rb"greet",)

    def check(self, edit):
        for line in edit.changed.added:
            if b"greet" in line.text:
                yield self.came(edit, line.number, "people are greeted")
'''


def install(place, module, name="acme-rules", entry="acme_rules:NoGreeting"):
    """A package as an installer leaves it: a module and its .dist-info."""
    info = place / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[twohand.rules]\none = {entry}\n" if entry else "")
    (place / f"{entry.partition(':')[0] or 'nothing'}.py").write_text(module)


@pytest.fixture
def named(gate, tmp_path, monkeypatch):
    """Settings that name the package, and a directory on the path of modules where it may be."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    file = gate.repo.path / ".git" / "twohand" / "settings.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text('[rules]\npackages = ["acme-rules"]\n')
    yield place
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def test_a_package_that_the_settings_name_brings_its_rules(gate, named):
    """An installed package with an entry point in `twohand.rules`."""
    install(named, MODULE)
    assert "acme-greeting" in rules(reviewed(gate))


def test_a_package_that_nobody_named_is_not_even_imported(gate, named):
    """Being installed is not being chosen."""
    install(named, "raise SystemExit(0)\n" + MODULE, name="other-rules", entry="acme_other:NoGreeting")
    install(named, MODULE)
    assert "acme-greeting" in rules(reviewed(gate))
    assert "acme_other" not in sys.modules


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (None, "is not installed where twohand is"),
        ("raise RuntimeError('half\\nbuilt')\n", "does not load (acme_rules:NoGreeting): RuntimeError: half built"),
        ("raise SystemExit(0)\n", "does not load (acme_rules:NoGreeting): SystemExit: 0"),
        ("NoGreeting = 1\n", "is no class derived from"),
        ("x = 1\n", "AttributeError"),
        (MODULE.replace("Tier.HOLD", "'panic'"), "'panic' is not a valid Tier"),
        (MODULE.replace('"acme-greeting"', '"secret-added"'), "there is one of that name already"),
        (MODULE.replace('rb"greet"', 'rb"(greet"'), "does not load"),
        (MODULE.replace("yield self", "raise SystemExit(0)\n                yield self"), "crashed in its rule acme-greeting on auth/login.py"),
        (MODULE.replace("yield self", "1 / 0\n                yield self"), "ZeroDivisionError"),
        (MODULE.replace("yield self.came(", "yield (").replace(', "people are greeted")', ")"), "AttributeError"),
        (MODULE + "    def __init__(self):\n        raise OSError('no')\n", "does not make its rule acme-greeting: OSError: no"),
        (MODULE + "    def __init__(self):\n        raise SystemExit(0)\n", "does not make its rule acme-greeting: SystemExit: 0"),
    ],
)  # fmt: skip
def test_a_package_that_is_absent_or_crashes_keeps_the_gate_closed(gate, named, module, said):
    """Exit 2, never 0, whatever it raises; nothing is decided."""
    if module is not None:
        install(named, module)
    told = gate.run("review", "--format", "json")
    assert told.code == 2
    assert told.out == ""
    assert said in told.err
    assert "acme-rules" in told.err


def test_a_package_without_entry_points_is_told(gate, named):
    """The name was mistaken, or the package is."""
    install(named, "", entry="")
    assert "has no entry point in the group twohand.rules" in gate.run("review").err


def test_a_repositorys_rule_takes_no_packages_name(gate, named):
    """Two rules of one name could be waived as one."""
    install(named, MODULE)
    lay(gate, RULE.replace("greeting-added", "acme-greeting"))
    assert "is a rule of this repository and of a package" in gate.run("review").err


def test_entry_points_cost_nothing_where_no_package_is_named():
    """importlib.metadata is not imported by the command that reviews."""
    code = "import sys, streams.commands.review; sys.exit('streams.rule_packages' in sys.modules or 'ast_grep_py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0


# -- other scanners ---------------------------------------------------------------------------------------------------


def sarif(path, tmp_path, name="x.sarif", level="error", tool="semgrep"):
    row = {
        "ruleId": "greeting", "level": level, "message": {"text": "do not greet"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 3}}}],
    }  # fmt: skip
    run_ = {"tool": {"driver": {"name": tool}}, "results": [row] if path else []}
    (tmp_path / name).write_text(json.dumps({"version": "2.1.0", "runs": [run_]}))
    return str(tmp_path / name)


def test_what_another_scanner_found_holds_and_names_it(gate, tmp_path):
    """`review --sarif FILE`: a reviewer of its own, with its findings; it never approves (law 26)."""
    decision = reviewed(gate, "--sarif", sarif("auth/login.py", tmp_path))
    (reason,) = reasons(decision, "finding.sarif.semgrep.greeting")
    assert reason["values"]["tier"] == "hold"
    told = {row["reviewer"]: row for row in decision["reviews"]}
    assert (told["sarif.semgrep"]["findings"], told["sarif.semgrep"]["verdict"]) == (1, "abstain")


def test_a_silent_scanner_changes_no_outcome(gate, tmp_path):
    """Silence is no evidence of safety: nothing is met by it."""
    before = reviewed(gate, "--dry-run")["outcome"]
    assert reviewed(gate, "--sarif", sarif("", tmp_path))["outcome"] == before


def test_a_finding_stays_with_its_content_until_its_scanner_looks_again(gate, tmp_path):
    """A later review without the file does not forget; the same scanner's newer look at equal content is believed."""
    loud, quiet = (Path(sarif(path, tmp_path, f"{path[:4]}.sarif")) for path in ("auth/login.py", ""))
    seconds = iter(range(10, 60))
    told = []
    for files in ((loud,), (), (quiet,), (), (loud,), ()):
        at = f"2026-11-21T12:00:{next(seconds)}Z"
        with Desk(Repository.open(gate.repo.path), now=lambda at=at: at) as desk:
            findings = record(desk.review(Asked(sarif=files)))["findings"]
        told.append("sarif.semgrep.greeting" in {finding["rule"] for finding in findings})
    assert told == [True, True, False, False, True, True]


def test_files_may_be_several(gate, tmp_path):
    """Each is read, and files of one tool are one reviewer."""
    files = [
        sarif("auth/login.py", tmp_path, "a.sarif"),
        sarif("", tmp_path, "b.sarif"),
        sarif("auth/login.py", tmp_path, "c.sarif", tool="x"),
    ]
    decision = reviewed(gate, *(part for file in files for part in ("--sarif", file)))
    assert {"sarif.semgrep.greeting", "sarif.x.greeting"} <= rules(decision)


def test_a_decision_with_a_scanners_findings_replays(gate, tmp_path):
    """Law 38: the file is not needed again."""
    reviewed(gate, "--sarif", sarif("auth/login.py", tmp_path))
    (tmp_path / "x.sarif").unlink()
    (tmp_path / "events.jsonl").write_text(gate.run("journal", "export").out)
    assert run(["replay", str(tmp_path / "events.jsonl")]) == 0


def test_the_policy_says_what_an_error_weighs_and_may_name_the_rule(gate, tmp_path):
    """`[rules] sarif` and `when = { rule = ... }`."""
    gate.repo.checkout("main")
    more = '[rules]\nsarif = "block"\n[[requirement]]\nname = "greetings"\nwhen = { rule = "sarif.semgrep.greeting" }\nfrom = ["owner"]\n'
    gate.repo.write("twohand.toml", gate.policy + more)
    gate.repo.commit("Policy")
    gate.repo.checkout("feature")
    decision = reviewed(gate, "--sarif", sarif("auth/login.py", tmp_path))
    assert decision["outcome"] == "blocked"
    assert {row["name"]: row["state"] for row in decision["requirements"]}["greetings"] == "unmet"


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "sarif", "github"])
def test_every_form_tells_of_findings_that_are_not_the_catalogues(gate, tmp_path, form):
    """Own rules and other scanners are shown like all rules."""
    lay(gate)
    file = sarif("auth/login.py", tmp_path)
    said = gate.run("review", "--format", form, "--sarif", file)
    assert said.code in (0, 4), said.err
    assert "people are greeted" in said.out
    assert "do not greet" in said.out


def test_a_person_waives_a_scanners_finding(gate, tmp_path):
    """Law 35: by name, signed, with a reason; nothing in the change could."""
    gate.repo.checkout("main")
    gate.repo.write("twohand.toml", gate.policy + '[waivers]\nby = ["bob"]\n[rules]\nsarif = "block"\n')
    gate.repo.commit("Policy")
    gate.repo.checkout("feature")
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    file = sarif("auth/login.py", tmp_path)
    assert reviewed(gate, "--sarif", file)["outcome"] == "blocked"
    gate.say("waive", "bob", "--finding", "sarif.semgrep.greeting", "--reason", "It is meant so")
    assert reviewed(gate, "--sarif", file)["outcome"] == "admitted"


@pytest.mark.parametrize("text", ["", "{}", '{"version": "2.0.0"}'])
def test_a_bad_file_decides_nothing(gate, tmp_path, text):
    """Exit 2 with a reason; no journal row."""
    (tmp_path / "bad.sarif").write_text(text)
    said = gate.run("review", "--sarif", str(tmp_path / "bad.sarif"))
    assert said.code == 2
    assert "bad.sarif" in said.err
    assert said.out == ""
