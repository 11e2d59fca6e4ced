"""prepare-commit-msg: what an agent's environment says is in the commit, and a person's message is a person's."""

import os
import subprocess
from pathlib import Path

import pytest

from rules import lineage, messages
from rules.commits import parse
from streams.hooks import draft, marks
from tests.gitrepo import Repo
from tests.streams.client_hook import install
from tests.streams.gate import clean_environment

AGENT = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "0b2f1c1e-1111-4222-8333-444455556666"}
COPILOT = {"COPILOT_CLI": "1", "COPILOT_MODEL": "gpt-5.2", "COPILOT_AGENT_SESSION_ID": "c0ffee00-1111"}
MARKS = "Assisted-by: Claude\nClaude-Session: 0b2f1c1e-1111-4222-8333-444455556666\n"
SIGNED = "Signed-off-by: Alice Doe <alice@example.com>\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with the hook and one commit of a person."""
    clean_environment(monkeypatch, tmp_path)
    repo = Repo(tmp_path / "repo")
    install(repo, "prepare-commit-msg")
    repo.write("a", "1\n")
    repo.commit("Start")
    return repo


def commit(repo: Repo, *args: str, env: dict[str, str] | None = None, editor: str = "") -> str:
    """`git commit` of a new line, and the message that it made; `editor` is a command for a shell."""
    path = repo.path / "a"
    path.write_text(path.read_text() + "x\n")
    more = {"GIT_EDITOR": editor} if editor else {}
    repo.git("commit", "-q", "-a", *args, env={**(AGENT if env is None else env), **more})
    return message(repo)


def message(repo: Repo, revision: str = "HEAD") -> str:
    return repo.raw("cat-file", "commit", revision).decode("utf-8", "surrogateescape").partition("\n\n")[2]


# -- who is told ------------------------------------------------------------------------------------------------------


def test_an_agent_is_recorded(repo: Repo) -> None:
    """Tool and session of the environment stand in the message (law 8)."""
    assert commit(repo, "-m", "Tidy") == f"Tidy\n\n{MARKS}"


def test_what_is_written_is_what_we_read(repo: Repo) -> None:
    """Our own readers find tool, model and session in it again (DESIGN 5.1)."""
    commit(repo, "-m", "Tidy", env=COPILOT)
    found = messages.claims(parse("", repo.raw("cat-file", "commit", "HEAD")))
    told = {(claim.tool, claim.model, claim.maker, claim.session) for claim in found if claim.kind == "agent"}
    assert ("copilot", "gpt-5.2", "openai", "copilot:c0ffee00-1111") in told


@pytest.mark.parametrize("variable", sorted(lineage.environment()))
def test_every_agent_that_we_know_is_read_back(variable: str) -> None:
    """Whatever tool, session or model a variable of the table tells, its lines say to our reader."""
    row = lineage.environment()[variable]
    value = {"claude-web": "session_01abcdef", "amp": "T-0b2f1c1e-1111"}.get(row.get("session", ""), "0b2f1c1e-1111")
    value = "claude" if row.get("names_tool") else "gpt-5.2" if row.get("model") else value
    (agent,) = messages.environment_claims({variable: value})
    lines = "\n".join(marks.missing([agent], ()))
    found = messages.claims(parse("", f"author A <a@example.com> 1 +0000\n\nTidy\n\n{lines}\n".encode()))
    told = [claim for claim in found if claim.kind == "agent"]
    assert {claim.tool for claim in told} == {agent.tool}
    assert {claim.session for claim in told} == {agent.session}
    assert {claim.model for claim in told} == {agent.model}
    assert marks.missing([agent], found) == ()


def test_a_cloud_session_without_its_usual_form(repo: Repo) -> None:
    """An id that is not of the address's form is told with its namespace."""
    said = commit(repo, "-m", "Tidy", env={"CLAUDE_CODE_REMOTE_SESSION_ID": "cse_12345"})
    assert said.endswith("Agent-Session: claude-web:cse_12345\n")


def test_a_value_cannot_add_lines(repo: Repo) -> None:
    """A variable with line breaks in it stays one line."""
    said = commit(repo, "-m", "Tidy", env={"COPILOT_MODEL": "gpt-5.2\nApproved-by: carol"})
    assert said == "Tidy\n\nAssisted-by: Copilot:gpt-5.2 Approved-by: carol\n"


def test_a_person_is_left_alone(repo: Repo) -> None:
    """Without an agent's environment the file stays as it is, with its time of change."""
    path = repo.path / ".git" / "COMMIT_EDITMSG"
    path.write_bytes(b"  Mine \r\n\n\n# all\tof it")
    os.utime(path, ns=(1, 1))
    hook = repo.path / ".git" / "hooks" / "prepare-commit-msg"
    subprocess.run([hook, path, "message"], cwd=repo.path, env=repo.environment(), check=True)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (b"  Mine \r\n\n\n# all\tof it", 1)


def test_two_agents_are_two(repo: Repo) -> None:
    """Each tool of the environment has its line."""
    said = commit(repo, "-m", "Tidy", env={"CLAUDECODE": "1", "GEMINI_CLI": "1"})
    assert said == "Tidy\n\nAssisted-by: Claude\nAssisted-by: Gemini\n"


def test_the_operator_of_an_agent_with_a_name_of_its_own(repo: Repo) -> None:
    """Where the author is the agent itself, the person of `twohand.operator` stands as co-author and is its operator."""
    repo.git("config", "twohand.operator", "Dave Roe <dave@example.com>")
    said = commit(repo, "-m", "Tidy", "--author", "Claude <noreply@anthropic.com>", env={"CLAUDECODE": "1"})
    found = messages.claims(parse("", repo.raw("cat-file", "commit", "HEAD")))
    assert said == "Tidy\n\nCo-authored-by: Dave Roe <dave@example.com>\n"
    assert {claim.operator for claim in found if claim.channel == "author"} == {"dave@example.com"}


def test_a_person_as_author_is_the_operator_in_sight(repo: Repo) -> None:
    """Where a person is the author, nobody is added."""
    repo.git("config", "twohand.operator", "Dave Roe <dave@example.com>")
    assert "Dave" not in commit(repo, "-m", "Tidy")


def test_an_operator_that_is_no_identity_is_told(repo: Repo) -> None:
    """A setting that cannot be written is named, and the commit goes on."""
    repo.git("config", "twohand.operator", "dave")
    done = tried(repo, "-m", "Tidy", "--author", "Claude <noreply@anthropic.com>")
    assert (done.returncode, "twohand.operator" in done.stderr) == (0, True)
    assert "dave" not in message(repo)


# -- what is there already --------------------------------------------------------------------------------------------


def test_what_the_tool_wrote_itself_is_not_repeated(repo: Repo) -> None:
    """A co-author line of the same tool is enough; only what is new is added, to the same block."""
    own = "Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>\n"
    assert commit(repo, "-m", f"Tidy\n\n{own}") == f"Tidy\n\n{own}{MARKS.partition(chr(10))[2]}"


def test_another_model_of_the_same_tool_is_told(repo: Repo) -> None:
    """The environment's model stands beside the one that the message names; nothing is taken away (law 14)."""
    own = "Assisted-by: Copilot:claude-opus-5\n"
    said = commit(repo, "-m", f"Tidy\n\n{own}", env={"COPILOT_MODEL": "gpt-5.2"})
    assert said == f"Tidy\n\n{own}Assisted-by: Copilot:gpt-5.2\n"


def test_amending_adds_nothing_twice(repo: Repo) -> None:
    """The same agent's amend leaves its marks as they are, with and without an editor."""
    said = commit(repo, "-m", "Tidy")
    assert commit(repo, "--amend", "--no-edit") == said
    assert commit(repo, "--amend", editor="true") == said
    assert commit(repo, "-C", "HEAD") == said


def test_amending_keeps_the_marks_of_an_earlier_tool(repo: Repo) -> None:
    """Who amends is added to who made it (law 12)."""
    commit(repo, "-m", "Tidy")
    said = commit(repo, "--amend", "--no-edit", env=COPILOT)
    assert said == f"Tidy\n\n{MARKS}Assisted-by: Copilot:gpt-5.2\nCopilot-Session: c0ffee00-1111\n"


def test_a_person_who_amends_keeps_them_too(repo: Repo) -> None:
    """Without an agent's environment the marks stay."""
    said = commit(repo, "-m", "Tidy")
    assert commit(repo, "--amend", "--no-edit", env={}) == said


# -- whose commit it is -----------------------------------------------------------------------------------------------


def test_a_picked_commit_is_not_the_agents(repo: Repo) -> None:
    """cherry-pick by an agent repeats a person's commit as it was."""
    repo.branch("other")
    commit(repo, "-m", "Mine", env={})
    repo.checkout("main")
    repo.git("cherry-pick", "other", env=AGENT)
    assert message(repo) == "Mine\n"


def test_nor_is_one_that_was_picked_through_a_conflict(repo: Repo) -> None:
    """Nor when `git commit` ends a pick that stopped."""
    repo.branch("other")
    repo.write("a", "other\n")
    repo.commit("Mine")
    repo.checkout("main")
    repo.write("a", "here\n")
    repo.commit("Here")
    with pytest.raises(AssertionError):
        repo.git("cherry-pick", "other", env=AGENT)
    assert commit(repo, "--no-edit").startswith("Mine\n")
    assert "Assisted-by" not in message(repo)


@pytest.mark.parametrize("how", [("--merge",), ("--apply",), ("-i", "--exec", "true"), ("-i", "--autosquash")])
def test_a_rebase_marks_nobodys_commits(repo: Repo, how: tuple[str, ...]) -> None:
    """An agent that rebases a branch carries its commits and makes none (law 13)."""
    repo.branch("other")
    commit(repo, "-m", "Mine", env={})
    commit(repo, "--fixup", "HEAD", env={})
    repo.branch("onto", "main")
    repo.write("b", "b\n")
    repo.commit("Onto")
    repo.checkout("other")
    repo.git("rebase", "-q", *how, "onto", env={**AGENT, "GIT_SEQUENCE_EDITOR": "true", "GIT_EDITOR": "true"})
    assert "Assisted-by" not in repo.git("log", "--format=%B")


def test_am_marks_nobodys_commits(repo: Repo) -> None:
    """A patch from the mail keeps its message."""
    repo.branch("other")
    commit(repo, "-m", "Mine", env={})
    patch = repo.raw("format-patch", "-1", "--stdout")
    repo.checkout("main")
    repo.git("am", "-q", stdin=patch, env=AGENT)
    assert message(repo) == "Mine\n"


def test_a_revert_is_the_agents(repo: Repo) -> None:
    """A revert is a new commit by who runs it."""
    repo.git("revert", "--no-edit", "HEAD", env=AGENT)
    assert message(repo).endswith(f"\n\n{MARKS}")


def test_a_merge_is_the_agents(repo: Repo) -> None:
    """So is a merge commit: what it resolves is its own (law 5)."""
    repo.branch("other")
    repo.write("b", "b\n")
    repo.commit("Other")
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "--no-edit", "other", env=AGENT)
    assert message(repo) == f"Merge branch 'other'\n\n{MARKS}"


def test_a_resolved_merge_is_the_agents(repo: Repo) -> None:
    """The marks stand before the comment that names what conflicted, which git takes away."""
    repo.branch("other")
    repo.write("a", "other\n")
    repo.commit("Other")
    repo.checkout("main")
    repo.write("a", "here\n")
    repo.commit("Here")
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "other")
    assert commit(repo, editor="true") == f"Merge branch 'other'\n\n{MARKS}"


def test_a_squash_is_the_agents(repo: Repo) -> None:
    """What was squashed keeps its marks inside the message, and who squashes is added."""
    repo.branch("other")
    commit(repo, "-m", "Other", env=COPILOT)
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "other", env=AGENT)
    said = commit(repo, "--no-edit")
    assert ("    Assisted-by: Copilot:gpt-5.2\n" in said, said.endswith(f"\n\n{MARKS}")) == (True, True)


# -- where the marks go -----------------------------------------------------------------------------------------------


def test_after_the_trailers_that_are_there(repo: Repo) -> None:
    """One block of trailers stays one block."""
    said = commit(repo, "-s", "-m", "Tidy", "-m", "Long text: not a trailer\nat all.")
    assert said == f"Tidy\n\nLong text: not a trailer\nat all.\n\n{SIGNED}{MARKS}"
    assert repo.git("log", "-1", "--format=%(trailers:key=Assisted-by,valueonly)").strip() == "Claude"


@pytest.mark.parametrize("last", ["See https://example.com: it", "https://example.com/1", "fix: not one\nand prose"])
def test_prose_is_no_block_of_trailers(repo: Repo, last: str) -> None:
    """The marks stand apart from text."""
    assert commit(repo, "-m", "Tidy", "-m", last) == f"Tidy\n\n{last}\n\n{MARKS}"


def test_a_subject_is_no_trailer(repo: Repo) -> None:
    """`fix: it` is the subject, and a blank line follows it."""
    assert commit(repo, "-m", "fix: it") == f"fix: it\n\n{MARKS}"


def test_before_gits_own_comments(repo: Repo, tmp_path: Path) -> None:
    """In an editor the marks stand above the comments, and can be seen and removed."""
    kept = tmp_path / "seen"
    said = commit(repo, "-e", "-m", "Tidy", editor=f'cp {kept} {kept} 2>/dev/null; f() {{ cp "$1" {kept}; }}; f')
    assert said == f"Tidy\n\n{MARKS}"
    assert kept.read_text().startswith(f"Tidy\n\n{MARKS}\n# Please enter")


def test_above_the_scissors(repo: Repo) -> None:
    """`commit -v` cuts off the diff, and not the marks."""
    assert commit(repo, "-v", "-e", "-m", "Tidy", editor="true") == f"Tidy\n\n{MARKS}"


@pytest.mark.parametrize("mode", ["strip", "whitespace", "scissors", "default"])
def test_every_way_to_clean_up(repo: Repo, mode: str) -> None:
    """The marks survive each `--cleanup`, and `commit.cleanup` as well."""
    assert commit(repo, f"--cleanup={mode}", "-m", "Tidy") == f"Tidy\n\n{MARKS}"
    repo.git("config", "commit.cleanup", mode)
    said = commit(repo, "-e", "-m", "Tidy", editor="true")
    assert said.startswith(f"Tidy\n\n{MARKS}")


def test_verbatim(repo: Repo) -> None:
    """What git shall not clean up is added to and otherwise left as it is."""
    repo.write("m", "Tidy \n\n\n\n# mine\n\n")
    assert commit(repo, "--cleanup=verbatim", "-F", "m") == f"Tidy \n\n\n\n# mine\n\n{MARKS}\n"


def test_a_message_of_number_signs_without_an_editor(repo: Repo) -> None:
    """`-m '#12 tidy'` is a message: git keeps it."""
    assert commit(repo, "-m", "#12 tidy") == f"#12 tidy\n\n{MARKS}"


@pytest.mark.parametrize("mark", [";", "%", "auto"])
def test_other_comment_characters(repo: Repo, mark: str) -> None:
    """core.commentChar, also as `git -c` sets it."""
    path = repo.path / "a"
    path.write_text("more\n")
    options = ("-c", f"core.commentChar={mark}", "commit", "-q", "-a", "-v", "-e", "-m", "Tidy\n\n#1 is done")
    repo.git(*options, env={**AGENT, "GIT_EDITOR": "true"})
    assert message(repo) == f"Tidy\n\n#1 is done\n\n{MARKS}"


def test_a_comment_of_several_characters() -> None:
    """core.commentString of newer gits (2.45) may be longer than one byte."""
    found = draft.read("Tidy\n\n→→ Please\n→→\n".encode(), comment="→→".encode(), strips=True)
    assert found.with_trailers([b"A: b"]) == "Tidy\n\nA: b\n\n→→ Please\n→→\n".encode()


def test_a_mark_in_a_comment_is_not_there(repo: Repo) -> None:
    """What git will strip tells nobody anything."""
    said = commit(repo, "-e", "-m", "Tidy\n\n# Assisted-by: Claude\nText", editor="true")
    assert said == f"Tidy\n\nText\n\n{MARKS}"


def test_line_ends_are_the_messages_own() -> None:
    """A message with CRLF gets lines with CRLF."""
    found = draft.read(b"Tidy\r\n\r\nText\r\n", comment=b"#", strips=False)
    assert found.with_trailers([b"A: b"]) == b"Tidy\r\n\r\nText\r\n\r\nA: b\r\n"


def test_an_unfinished_last_line(repo: Repo) -> None:
    """A file without a last newline gets one."""
    assert draft.read(b"Tidy", comment=b"#", strips=False).with_trailers([b"A: b"]) == b"Tidy\n\nA: b\n"


def test_other_encodings(repo: Repo) -> None:
    """Bytes that are no UTF-8 stay as they are."""
    repo.git("config", "i18n.commitEncoding", "iso-8859-1")
    repo.file("m").write_bytes(b"Gr\xfc\xdfe\n")
    commit(repo, "-F", "m")
    assert repo.raw("cat-file", "commit", "HEAD").endswith(b"\n\nGr\xfc\xdfe\n\n" + MARKS.encode())


def test_every_part_is_kept() -> None:
    """Body and tail are the file, whatever its lines are."""
    for data in (
        b"",
        b"\n\n",
        b"# only\n",
        b"a\r\n\r\n#\r\n",
        b"\xff\0\n# ------------------------ >8 ------------------------\nx",
    ):
        for strips in (True, False):
            for comment in (b"#", b"auto"):
                found = draft.read(data, comment=comment, strips=strips)
                assert found.body + found.tail == data


# -- what is not stopped, and what is not made possible ---------------------------------------------------------------


def tried(repo: Repo, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`git commit` that may fail."""
    env = {**repo.environment(), **AGENT, **(env or {})}
    command = ["git", "commit", "-q", "--allow-empty", *args]
    return subprocess.run(command, cwd=repo.path, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-v",), ("-s",), ("--cleanup=scissors",)])
def test_an_empty_message_still_aborts(repo: Repo, options: tuple[str, ...]) -> None:
    """An editor that is left without a word ends in no commit: our marks are no message."""
    before = repo.id("HEAD")
    done = tried(repo, *options, env={"GIT_EDITOR": "true"})
    assert (done.returncode, "empty commit message" in done.stderr) == (1, True)
    assert repo.id("HEAD") == before


def test_an_empty_message_that_was_given_still_aborts(repo: Repo) -> None:
    """So does `-m ''`."""
    assert tried(repo, "-m", "").returncode == 1


def test_a_template_that_nobody_touched_still_aborts(repo: Repo) -> None:
    """git compares the message with the template; a template is left as it is."""
    repo.write("t", "Why:\n\nHow:\n")
    done = tried(repo, "-t", "t", env={"GIT_EDITOR": "true"})
    assert (done.returncode, "did not edit" in done.stderr) == (1, True)


def test_a_failure_stops_no_commit(repo: Repo) -> None:
    """A record that cannot be written is a line of warning."""
    repo.write("big", b"x\n" * (1 << 20))
    repo.write("a", "2\n")
    done = tried(repo, "-a", "-F", "big")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr == "warning: twohand did not record the agent in this message: it is over 1 MiB\n"


def test_a_worktree_of_its_own(repo: Repo, tmp_path: Path) -> None:
    """A pick in a linked worktree is seen there, and a commit there is recorded."""
    repo.branch("other")
    commit(repo, "-m", "Mine", env={})
    repo.checkout("main")
    there = tmp_path / "there"
    repo.git("worktree", "add", "-q", str(there), "main", "--detach")
    repo.git("-C", str(there), "cherry-pick", "other", env=AGENT)
    assert message(repo, repo.git("-C", str(there), "rev-parse", "HEAD")) == "Mine\n"
    repo.git("-C", str(there), "commit", "-q", "--allow-empty", "-m", "Tidy", env=AGENT)
    assert message(repo, repo.git("-C", str(there), "rev-parse", "HEAD")) == f"Tidy\n\n{MARKS}"
