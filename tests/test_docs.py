"""The documentation says what is so: generated pages are current, and README's commands exist and run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
import typer.main

from rules.change import FileChange
from rules.claims import Claim
from rules.events import EVENTS, ChangeProposed, CommitFact, DecisionMade, LawText, Recorded, ReviewGiven, Touched
from rules.findings import Finding, Tier, Uncovered
from rules.reasons import CODES
from streams import docs, docs_events, docs_readme
from streams.commands.app import build
from streams.engines.codec import encode
from tests.gitrepo import Repo

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TWOHAND = typer.main.get_command(build())
SHA = "a" * 40


def options(command, name=""):
    """Every (command, option) of a command and of those below it."""
    for child, below in getattr(command, "commands", {}).items():
        yield from options(below, f"{name} {child}".strip())
    for param in [] if hasattr(command, "commands") else command.params:
        yield from ((name, option) for option in param.opts if option.startswith("-") and not param.hidden)


def test_generated_pages_are_current():
    """`make docs` would write nothing anew."""
    assert docs.stale() == [], "run: make docs"


def test_a_stale_page_is_noticed_and_written(tmp_path):
    """`--check` names exactly what is missing or was edited; writing mends it."""
    assert docs.write(tmp_path) == sorted(docs.pages())
    assert docs.stale(tmp_path) == []
    (tmp_path / "cli.md").write_text("edited")
    (tmp_path / "reasons.md").unlink()
    assert docs.stale(tmp_path) == ["cli.md", "reasons.md"]


@pytest.mark.parametrize(("command", "option"), sorted(set(options(TWOHAND))))
def test_every_option_is_documented(command, option):
    """Each command has its section in docs/cli.md, and each option its row in it."""
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = page.split(f"\n## twohand {command}\n")[1].split("\n## ")[0]
    assert f"`{option}`" in section


@pytest.mark.parametrize("code", [*CODES, "finding.<rule>"])
def test_every_reason_is_documented(code):
    """docs/reasons.md has a section for each code, with what it means and what to do (law 41)."""
    section = (ROOT / "docs" / "reasons.md").read_text("utf-8").split(f"\n## {code}\n")[1].split("\n## ")[0]
    assert "What to do: " in section


def test_readme_shows_what_the_demo_prints():
    """The block in README is the demo's own output, apart from commit ids and the order of statements."""
    told = docs_readme.told()
    shown, printed = docs_readme.block(README), docs_readme.excerpt(told)
    assert docs_readme.masked(shown) == docs_readme.masked(printed), "run: make docs"
    assert docs_readme.rewritten(README, told) == README
    assert docs_readme.rewritten(README.replace("blocked", "admitted"), told) != README.replace("blocked", "admitted")


def test_readme_lists_every_command_and_no_other():
    """The table of commands and the command line agree."""
    table = README.split("## Commands")[1].split("\n## ")[0]
    named = {
        word
        for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
        for word in re.findall(r"`(?:twohand )?([a-z-]+)", cell)
    }
    assert named == set(TWOHAND.commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_links_lead_somewhere(page):
    """`make X` is a target, and a relative link is a file."""
    text = page.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert not [link for link in links if not (page.parent / link).exists()]


def test_readme_review_runs_in_a_repository_without_a_policy(tmp_path):
    """README's `twohand review -C REPO` gives a verdict at once, with the built-in policy (law 36)."""
    line = next(line for line in README.splitlines() if line.startswith("twohand review "))
    repo = Repo(tmp_path / "shop")
    repo.write("a.py", "print(1)\n")
    repo.commit("Start")
    repo.branch("feature")
    repo.write("a.py", "print(2)\n")
    repo.commit("Change")
    (tmp_path / "here").mkdir()
    argv = shlex.split(line, comments=True)[1:]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "streams.cli", *argv],
        cwd=tmp_path / "here", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 4, 5), done.stderr
    assert "an independent hand" in done.stdout or "approval.missing" in done.stdout


def test_the_wheel_holds_the_three_packages_and_their_data(tmp_path):
    """What `uv tool install .` installs has every module and every data file, and the command."""
    pytest.importorskip("hatchling")
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests", "bench"))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=copy, capture_output=True, check=True
    )
    (wheel,) = (copy / "dist").glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("rules", "reviewers", "streams")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".toml"}
    }
    assert wanted <= held
    assert any(name.endswith("entry_points.txt") for name in held)


def test_lock_files_name_exact_versions_and_no_place():
    """Every package has one version and its hashes; no index, host or path is named."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        rows = [line for line in text.splitlines() if line[:1] not in {"#", " ", ""}]
        assert rows
        assert all(re.fullmatch(r"[a-z0-9._-]+==\S+( ; .+)? \\", row) for row in rows)
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(rows)


SAMPLES = [
    ChangeProposed(
        change="c", repository="r", target="refs/heads/main", base=SHA, head=SHA, content_key="k",
        files=(FileChange("a.py", "100644", SHA, "100644", SHA, 1, 2),),
        commits=(CommitFact(SHA),), claims=(Claim("author", "D"),), recorded=(Recorded((Claim("author", "D"),), shows=True),),
        touched=(Touched(SHA, None), Touched(SHA, ("a.py",))), laws=(LawText("default", "main", "version = 1"),),
        at="2026-11-21T14:00:00Z",
    ),
    ReviewGiven(
        change="c", content_key="k", reviewer="rules", findings=(Finding("secret-added", Tier.BLOCK, "a.py", "new", 1, "m", "q"),),
        uncovered=(Uncovered("a.bin", "binary"),), at="2026-11-21T14:00:00Z",
    ),
    DecisionMade(change="c", content_key="k", outcome="blocked", decision="{}", at="2026-11-21T14:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_what_is_written_follows_its_schema(event):
    """A body as the codec writes it is valid; one more key is not (law 42)."""
    validator = jsonschema.Draft202012Validator(docs_events.schema(type(event)))
    data = json.loads(encode(event, "r"))["data"]
    validator.validate(data)
    assert list(validator.iter_errors({**data, "more": 1}))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_schemas_are_schemas(kind):
    """Each follows JSON Schema 2020-12 and says nothing of what travels beside the body."""
    made = docs_events.schema(kind)
    jsonschema.Draft202012Validator.check_schema(made)
    assert not {"at", "signer"} & made["properties"].keys()
