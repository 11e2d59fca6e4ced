"""`twohand propose|approve|object|withdraw|waive`: who may say what, and what is said to who may not."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from rules import instants
from rules.statement import Statement, parse, payload, split
from streams import clock
from streams.sources.statements import PREFIX
from tests.gitrepo import Repo
from tests.streams.gate import Gate, Said


def said(gate: Gate) -> list[Statement]:
    """Every statement of the repository, oldest first."""
    blobs = gate.repo.git("for-each-ref", "--format=%(objectname)", PREFIX).split()
    found = [parse(split(gate.repo.raw("cat-file", "blob", blob))[0]) for blob in blobs]
    return sorted(found, key=lambda row: (row.time, row.by))


def speak(gate: Gate, verb: str, name: str, *arguments: str, rev: str = "HEAD") -> Said:
    key = gate.keys["bot" if name == "claude-two" else name]
    return gate.run(verb, rev, "--as", name, "--key", str(key), *arguments)


def refused(gate: Gate, answer: Said, *words: str) -> None:
    """A usage error that says all of these words, and nothing was written."""
    assert answer.code == 2, (answer.out, answer.err)
    assert answer.err.startswith("error: ")
    assert "\nhint: " in answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err
    assert said(gate) == []


# -- what is said -----------------------------------------------------------------------------------------------------


def test_every_verb_is_kept_with_what_was_given(gate: Gate) -> None:
    """The five verbs, with the options that each takes."""
    with_tools = ("--tool", "claude-code", "--model", "claude-opus-5", "--session", "claude-web:abc")
    for name, arguments in {
        "propose": ("alice", *with_tools),
        "approve": ("claude-two", *with_tools, "--not-author"),
        "object": ("bob", "--reason", "no", "--change", "17"),
        "withdraw": ("bob", "-m", "well"),
        "waive": ("carol", "--finding", "auth-check-removed", "--reason", "known", "--expires", "12h"),
    }.items():
        assert speak(gate, name, *arguments).code == 0
    found = {row.verb: row for row in said(gate)}
    for verb in ("propose", "approve"):
        row = found[verb]
        assert (row.tool, row.model, row.session) == ("claude-code", "claude-opus-5", "claude-web:abc")
    assert found["approve"].not_author
    assert (found["object"].reason, found["object"].change) == ("no", "17")
    assert (found["withdraw"].by, found["withdraw"].reason) == ("bob", "well")
    waived = found["waive"]
    assert (waived.finding, waived.reason) == ("auth-check-removed", "known")
    assert instants.between(waived.time, waived.expires) == 12 * 3600


def test_the_answer_names_who_what_and_with_which_key(gate: Gate) -> None:
    """Who, what, for which branch, how many files, with which key, under which ref."""
    answer = speak(gate, "object", "bob")
    ref = gate.repo.git("for-each-ref", "--format=%(refname)", PREFIX)
    first, second, third = answer.out.splitlines()
    assert first == (f"bob objected to {gate.repo.id('HEAD')[:12]} for main (1 file, signed with {gate.keys['bob']})")
    assert second.strip() == ref
    assert "--push REMOTE" in third


def test_a_branch_may_be_named_from_anywhere(gate: Gate) -> None:
    """The revision is what is spoken of, not what is checked out."""
    head = gate.repo.id("feature")
    gate.repo.checkout("main")
    assert speak(gate, "object", "bob", rev="feature").code == 0
    assert said(gate)[0].head == head


def test_each_word_of_one_speaker_has_its_second(gate: Gate) -> None:
    """Law 18: a signer's times order what they say, also when they say it at once."""
    for verb in ("object", "withdraw", "object"):
        assert speak(gate, verb, "bob").code == 0
    times = [row.time for row in said(gate)]
    assert len(set(times)) == 3
    assert [row.verb for row in said(gate)] == ["object", "withdraw", "object"]


def test_a_forged_date_moves_nobodys_clock(gate: Gate) -> None:
    """Law 18: what somebody else wrote in alice's name does not date what alice signs."""
    forged = Statement("approve", "alice", "r", "t", "b", "h", "0" * 64, time="2099-01-01T00:00:00Z")
    blob = gate.repo.git("hash-object", "-w", "--stdin", stdin=payload(forged) + b"-----BEGIN SSH SIGNATURE-----\nx\n")
    gate.repo.git("update-ref", f"{PREFIX}/{'0' * 64}/{'1' * 64}", blob)
    assert speak(gate, "propose", "alice", "--tool", "none").code == 0
    assert said(gate)[0].verb == "propose"
    assert said(gate)[0].time <= instants.later(clock.now(), 1)


def test_two_speakers_in_one_second_do_not_wait(gate: Gate) -> None:
    """Only one's own words are ordered."""
    before = clock.now()
    speak(gate, "object", "bob")
    speak(gate, "object", "carol")
    assert all(before <= row.time <= clock.now() for row in said(gate))


@pytest.mark.parametrize(
    "reason", ["x" * 300_000, "\x1b[31m", "\n-----BEGIN SSH SIGNATURE-----\n", "\udcff", "\u202e", "\r\n"]
)
def test_any_reason_is_kept_and_still_signed(gate: Gate, reason: str) -> None:
    """Law 17: what people write breaks neither the statement nor the terminal of whoever reads it."""
    assert speak(gate, "object", "bob", "--reason", reason).code == 0
    assert said(gate)[0].reason == reason
    answer = gate.run("review")
    assert answer.code == 1
    assert "bob objects" in answer.out
    assert not {"\x1b", "\u202e", "\r"} & set(answer.out)
    assert len(answer.out) < 20_000


# -- the key and the name ---------------------------------------------------------------------------------------------


def test_the_name_is_found_by_its_key(gate: Gate) -> None:
    """`--key` alone says who speaks."""
    assert gate.run("object", "HEAD", "--key", str(gate.keys["bob"])).code == 0
    assert said(gate)[0].by == "bob"


@pytest.mark.parametrize("form", ["path", "public", "literal", "key::literal"])
def test_the_key_is_found_in_gits_configuration(
    gate: Gate, form: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`user.signingKey` of the repository, as git understands it; a literal key signs through ssh-agent."""
    key = gate.keys["bob"]
    public = key.with_suffix(".pub")
    literal = public.read_text().strip()
    forms = {"path": str(key), "public": str(public), "literal": literal, "key::literal": f"key::{literal}"}
    gate.repo.git("config", "user.signingKey", forms[form])
    if "literal" not in form:
        assert gate.run("object", "HEAD").code == 0
    else:
        socket = str(tmp_path_factory.mktemp("a") / "s")
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE) as agent:
            assert agent.stdout
            agent.stdout.readline()
            subprocess.run(["ssh-add", "-q", key], check=True)
            assert gate.run("object", "HEAD").code == 0
            agent.terminate()
    assert said(gate)[0].by == "bob"


def test_the_enrolled_key_of_a_name_is_found_at_home(gate: Gate) -> None:
    """`--as bob` takes the key of ~/.ssh that the policy has for bob, not the first."""
    home = Path(os.environ["HOME"]) / ".ssh"
    home.mkdir()
    for name, to in (("alice", "id_ed25519"), ("bob", "id_ecdsa")):
        (home / to).write_bytes(gate.keys[name].read_bytes())
        (home / to).chmod(0o600)
    assert gate.run("object", "HEAD", "--as", "bob").code == 0
    assert said(gate)[0].by == "bob"


def test_an_unknown_name_is_refused_with_those_that_are_known(gate: Gate) -> None:
    """The names of the policy, and where to enrol another."""
    answer = gate.run("approve", "HEAD", "--as", "mallory", "--key", str(gate.keys["bob"]))
    refused(gate, answer, "'mallory' is nobody in the policy", "alice, bob, carol", "[people.NAME]")


def test_the_key_of_another_is_refused(gate: Gate) -> None:
    """Law 17: whose key it is, and that it is not a key of the name given."""
    answer = gate.run("approve", "HEAD", "--as", "carol", "--key", str(gate.keys["bob"]))
    refused(gate, answer, "is the key of bob, not a key of carol", "keys")


def test_a_key_that_nobody_enrolled_is_refused(gate: Gate, tmp_path: Path) -> None:
    """With the line to put into the policy."""
    key = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    line = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    refused(gate, gate.run("approve", "HEAD", "--as", "carol", "--key", str(key)), "not enrolled", line)
    refused(gate, gate.run("approve", "HEAD", "--key", str(key)), "No enrolled name has the key", "--as NAME")


def test_a_name_without_a_key_is_refused(gate: Gate) -> None:
    """Dave is known, but no key is his."""
    answer = gate.run("approve", "HEAD", "--as", "dave", "--key", str(gate.keys["bob"]))
    refused(gate, answer, "not a key of dave")


def test_no_key_anywhere_is_refused(gate: Gate) -> None:
    """Every place that was looked at is named."""
    refused(gate, gate.run("approve", "HEAD", "--as", "bob"), "No SSH key was found", "--key FILE")


def test_a_service_says_nothing(gate: Gate) -> None:
    """Law 16: its name and its key are refused alike."""
    gate.repo.checkout("main")
    service = gate.policy.replace("[agents.claude-two]", "[services.robot]").replace('operator = "alice"\n', "")
    gate.repo.write("twohand.toml", service.replace('model = "claude-opus-5"\n', ""))
    gate.repo.commit("A service")
    gate.repo.checkout("feature")
    answer = gate.run("approve", "HEAD", "--as", "robot", "--key", str(gate.keys["bot"]))
    refused(gate, answer, "robot")


# -- law 20 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "more"), [("approve", ()), ("withdraw", ()), ("waive", ("--finding", "x", "--reason", "y"))]
)
def test_a_person_does_not_speak_in_an_agents_shell(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, verb: str, more: tuple[str, ...]
) -> None:
    """Law 20: the agent is named, and where to sign instead."""
    monkeypatch.setenv("CLAUDECODE", "1")
    refused(
        gate, speak(gate, verb, "carol", *more), "carol is a person", "belongs to an agent", "terminal of their own"
    )


def test_an_agent_speaks_in_its_own_shell(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 20: with its own enrolled key; and a person's objection is never refused."""
    monkeypatch.setenv("CLAUDECODE", "1")
    assert speak(gate, "approve", "claude-two").code == 0
    assert speak(gate, "object", "carol").code == 0


@pytest.mark.parametrize("option", [("--tool", "codex"), ("--model", "gpt-5"), ("--session", "codex:1")])
@pytest.mark.parametrize("verb", ["approve", "object"])
def test_a_person_has_neither_tool_nor_model_nor_session(gate: Gate, verb: str, option: tuple[str, str]) -> None:
    """Law 23: people have neither; only a proposal names what made a change."""
    refused(gate, speak(gate, verb, "carol", *option), "carol is a person", "Leave them out")


@pytest.mark.parametrize("session", ["abc", "abc:", ":abc", ":"])
def test_a_session_has_a_namespace_and_an_id(gate: Gate, session: str) -> None:
    """Law 23: sessions are compared inside one namespace."""
    answer = speak(gate, "propose", "alice", "--tool", "claude-code", "--session", session)
    refused(gate, answer, "--session", "NAMESPACE:ID")


@pytest.mark.parametrize("more", [("--model", "gpt-5"), ("--session", "codex:1")])
def test_no_tool_and_a_model_contradict_each_other(gate: Gate, more: tuple[str, str]) -> None:
    """Law 11: `--tool none` says that there was none."""
    refused(gate, speak(gate, "propose", "alice", "--tool", "none", *more), "contradict")


# -- waivers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--reason", "why"), "exactly one thing"),
        (("--reason", "why", "--finding", "x", "--objection-of", "bob"), "exactly one thing"),
        (("--reason", "why", "--finding", "x", "--break-glass"), "exactly one thing"),
        (("--finding", "x"), "needs a reason"),
        (("--finding", "x", "--reason", " \t"), "needs a reason"),
        (("--finding", "x", "--reason", "why", "--expires", "soon"), "'soon'"),
        (("--finding", "x", "--reason", "why", "--expires", "-1d"), "'-1d'"),
    ],
)
def test_a_waiver_that_would_be_nothing_is_refused(gate: Gate, arguments: tuple[str, ...], word: str) -> None:
    """Law 35: one thing, a reason, a time."""
    refused(gate, speak(gate, "waive", "carol", *arguments), word)


def test_a_waiver_ends_after_a_week_unless_said(gate: Gate) -> None:
    """Law 35: seven days."""
    assert speak(gate, "waive", "carol", "--finding", "x", "--reason", "why").code == 0
    waiver = said(gate)[0]
    assert instants.between(waiver.time, waiver.expires) == 7 * instants.DAY


# -- what is spoken of ------------------------------------------------------------------------------------------------


def test_nothing_is_nothing_to_speak_of(gate: Gate) -> None:
    """An empty range, with how to name another."""
    refused(gate, speak(gate, "approve", "carol", "--base", "HEAD"), "There is nothing between", "--base and --target")


@pytest.mark.parametrize(
    ("rev", "arguments", "words"),
    [
        ("nowhere", (), ("'nowhere'",)),
        ("HEAD", ("--target", "nowhere"), ("nowhere",)),
        ("HEAD", ("--base", "nowhere"), ("'nowhere'",)),
        ("HEAD:auth/login.py", (), ("HEAD:auth/login.py",)),
        ("HEAD^{tree}", (), ("HEAD^{tree}",)),
        ("", (), ("''",)),
    ],
)
def test_what_is_no_commit_is_refused(gate: Gate, rev: str, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """It is named as it was given."""
    refused(gate, speak(gate, "approve", "carol", *arguments, rev=rev), *words)


def test_an_unborn_branch_has_nothing_to_speak_of(gate: Gate, tmp_path: Path) -> None:
    """A repository without a commit says so."""
    gate.repo = Repo(tmp_path / "new")
    refused(gate, speak(gate, "approve", "carol"), "no commit yet", "Commit something first")


def test_outside_a_repository_nothing_is_said(gate: Gate, tmp_path: Path) -> None:
    """The directory is named."""
    (tmp_path / "plain").mkdir()
    answer = gate.run("approve", "HEAD", "--as", "carol", "--key", str(gate.keys["carol"]))
    assert answer.code == 0
    gate.repo.path = tmp_path / "plain"
    outside = gate.run("approve", "HEAD", "--as", "carol", "--key", str(gate.keys["carol"]))
    assert outside.code == 2
    assert "plain is no git repository" in outside.err


def test_a_broken_policy_is_the_reason_given(gate: Gate) -> None:
    """Nobody is enrolled by a policy that cannot be used; the error says that it is the policy."""
    gate.repo.checkout("main")
    gate.repo.write("twohand.toml", gate.policy + "\n[nonsense\n")
    gate.repo.commit("Break it")
    gate.repo.checkout("feature")
    refused(gate, speak(gate, "approve", "carol"), "policy validate")


# -- where it is said -------------------------------------------------------------------------------------------------


def test_a_linked_worktree_speaks_for_the_repository(gate: Gate, tmp_path: Path) -> None:
    """Statements and journal belong to the repository, not to one of its working trees."""
    gate.repo.checkout("main")
    gate.repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "feature")
    main, gate.repo.path = gate.repo.path, tmp_path / "tree"
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    assert gate.run("review").code == 0
    gate.repo.path = main
    assert len(said(gate)) == 2
    assert gate.run("review", "--head", "feature").code == 0
    assert [path.name for path in tmp_path.glob("**/journal.db")] == ["journal.db"]
    assert (main / ".git" / "twohand" / "journal.db").is_file()


def test_a_bare_repository_is_spoken_in(gate: Gate, tmp_path: Path) -> None:
    """Without a working tree, the branch is named."""
    there = Repo(tmp_path / "there.git", bare=True)
    gate.repo.git("push", "-q", str(there.path), "main", "feature")
    gate.repo = there
    assert speak(gate, "propose", "alice", "--tool", "none", rev="feature").code == 0
    assert speak(gate, "approve", "carol", rev="feature").code == 0
    assert len(said(gate)) == 2
    assert gate.run("review", "--head", "feature").code == 0


def test_what_is_reviewed_is_named_as_what_is_spoken_of(gate: Gate) -> None:
    """`review REV` is `review --head REV`; two names at once are an error, and an option is never a revision."""
    gate.repo.checkout("main")
    plain, named = (gate.run("review", *rev, "--format", "json") for rev in (["feature"], ["--head", "feature"]))
    one, other = (json.loads(told.out)["change"] for told in (plain, named))
    assert (one, one["head"]) == (other, gate.repo.id("feature"))
    refused(gate, gate.run("review", "feature", "--head", "main"), "REV feature and --head main")
    assert gate.run("review", "nowhere").code == 2


def test_speaking_records_nothing(gate: Gate) -> None:
    """A statement is a ref; the journal is written by who decides."""
    gate.say("approve", "carol")
    assert not (gate.repo.path / ".git" / "twohand").exists()
    assert gate.repo.git("status", "--porcelain") == ""


def test_a_target_that_was_not_pulled_is_no_base(gate: Gate) -> None:
    """What landed meanwhile is no part of what is said or decided: refused with the word that helps; a review tells it."""
    landed = gate.repo.id("HEAD")
    gate.repo.git("update-ref", "refs/remotes/origin/main", landed)
    gate.repo.write("shop/next.py", "NEXT = 1\n")
    gate.repo.commit("Next")
    refused(gate, speak(gate, "propose", "alice", "--tool", "none"), "main here is behind origin/main")
    for door in ("submit", "gate"):
        refused(gate, gate.run(door), "main here is behind origin/main", "Pull main first, or add --target origin/main")
    assert "note: main here is behind origin/main" in gate.run("review", "--dry-run").err
    told = speak(gate, "propose", "alice", "--tool", "none", "--target", "origin/main")
    assert told.code == 0, told.err
    assert gate.run("review", "--dry-run", "--target", "origin/main").err == ""
    assert [(row.base, row.target) for row in said(gate)] == [(landed, "refs/heads/main")]
