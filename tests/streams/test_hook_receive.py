"""pre-receive on a bare repository, by real pushes: what lands, what does not, and what the pusher reads."""

import io
import shlex
import subprocess
from pathlib import Path

import pytest

from streams.commands.app import run
from streams.hooks.refusal import Voice
from tests.gitrepo import Repo
from tests.streams.served import Served, enforce, push


def test_what_nobody_approved_stays_outside(served: Served) -> None:
    """The ref does not move, the change is recorded, and the pusher reads who can help and how."""
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert served.at("main") == served.start
    text = "\n".join(pushed.said)
    assert f"error: main stays where it is: {served.head[:12]} is pending" in text
    assert "hint: bob or carol can:" in text
    assert f"hint:   twohand approve {served.head[:12]} --as bob --push origin" in text


def test_words_are_for_terminals_of_any_width(served: Served) -> None:
    """Every line is under 72 columns, begins with a word that git colours, and holds no escape."""
    served.work.write("auth/" + "deep/" * 30 + "login.py", "x = 1\n")
    served.work.commit("Deep \x1b[31m")
    for line in served.push("feature:main").said:
        assert len(line) < 72
        assert line.startswith(("error: ", "hint: "))
        assert line.isprintable()


def test_a_long_command_goes_on_behind_a_backslash() -> None:
    """What is typed keeps its words whole: a line is longer than 71 only where one ref or path is."""
    ref, said = "refs/heads/" + "y" * 80, io.StringIO()
    command = f"twohand waive 0123456789ab --finding a@b:3 --reason 'WHY --or so' {'w' * 30} --push origin {ref}"
    Voice(out=said).command(command)
    lines = said.getvalue().splitlines()
    assert [line for line in lines if len(line) >= 72] == [f"hint:     {ref}"]
    joined = "\n".join(line.removeprefix("hint: ") for line in lines).replace("\\\n", "")
    assert shlex.split(joined) == shlex.split(command)


def test_the_same_push_lands_once_others_agreed(served: Served) -> None:
    """Nobody touches the server in between (law 33, 40)."""
    assert not served.push("feature:main").taken
    assert served.push("feature").taken
    served.agree()
    pushed = served.push("feature:main")
    assert pushed.taken, pushed.err
    assert "success: main:" in pushed.said[0]
    assert "approved by" in pushed.said[0]
    assert served.at("main") == served.head


def test_statements_may_come_with_the_change(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements in the very push count for it, though their refs do not exist yet."""
    monkeypatch.chdir(served.work.path)
    served.work.git("remote", "set-url", "origin", str(served.root / "nowhere"))
    for verb, name in (("propose", "alice"), ("approve", "bob")):
        assert run([verb, "HEAD", "--as", name, "--key", str(served.keys / name)]) == 0
    served.work.git("remote", "set-url", "origin", str(served.server.path))
    pushed = served.push("feature:main", "refs/twohand/*:refs/twohand/*")
    assert pushed.taken, pushed.err


@pytest.mark.parametrize("route", ["ff", "no-ff", "octopus", "cherry-pick", "revert", "rebase", "am", "plumbing"])
def test_no_route_leads_round_it(served: Served, route: str) -> None:
    """However the commits were made, they have to be admitted."""
    work = served.work
    work.git("switch", "-q", "main")
    if route == "ff":
        work.git("merge", "-q", "--ff-only", "feature")
    elif route == "no-ff":
        work.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    elif route == "octopus":
        work.git("branch", "other", "feature~1")
        work.git("switch", "-q", "other")
        work.write("shop/other.py", "A = 1\n")
        work.commit("other")
        work.git("switch", "-q", "main")
        work.git("merge", "-q", "--no-ff", "-m", "octopus", "feature", "other")
    elif route == "cherry-pick":
        work.git("cherry-pick", "feature")
    elif route == "revert":
        work.git("merge", "-q", "--ff-only", "feature")
        work.git("revert", "--no-edit", "HEAD")
    elif route == "rebase":
        work.git("switch", "-q", "feature")
        work.git("rebase", "-q", "--force-rebase", "main")
        work.git("branch", "-f", "main", "feature")
    elif route == "am":
        patch = work.git("format-patch", "--stdout", "main..feature")
        work.git("am", "-q", stdin=patch.encode())
    else:
        made = work.git("commit-tree", "-p", "main", "-m", "made", "feature^{tree}")
        work.git("update-ref", "refs/heads/main", made)
    assert not served.push("main").taken
    assert served.at("main") == served.start


@pytest.mark.parametrize("first", ["refs/tags/v1", "refs/heads/side", "refs/notes/x", "refs/anything/else"])
def test_objects_that_are_there_already_are_not_admitted_by_that(served: Served, first: str) -> None:
    """A tag, a side branch or any other ref first, a fast-forward of main later."""
    assert served.push(f"feature:{first}").taken
    assert not served.push("feature:main").taken
    assert served.at("main") == served.start


def test_unprotected_branches_are_free(served: Served) -> None:
    """New, forced and deleted: nobody asks, and nothing is said."""
    assert served.push("feature:topic").said == []
    served.work.git("commit", "--amend", "-q", "-m", "again")
    assert served.push("+feature:topic").taken
    assert served.push(":topic").taken


def test_a_new_protected_branch_is_judged_from_the_default_branch(served: Served) -> None:
    """Law 4: at an admitted commit it is admitted, beyond it has to be agreed."""
    assert served.push("main:refs/heads/release/1").taken
    assert not served.push("feature:refs/heads/release/2").taken
    served.agree("HEAD", "--target", "release/2")
    assert served.push("feature:refs/heads/release/2").taken


def test_a_rewind_is_held_and_lists_what_it_drops(served: Served) -> None:
    """Law 4: an owner who saw old tree and new tree lets it through."""
    served.agree()
    assert served.push("feature:main").taken
    served.work.git("fetch", "-q", "origin")
    refused = served.push(f"+{served.start}:main")
    assert not refused.taken
    assert any("ref.rewritten" in line and "1 commit" in line for line in refused.said), refused.err
    assert any("--rewrite" in line for line in refused.said), refused.err
    served.agree(served.start, "--rewrite", "--target", "main")
    landed = served.push(f"+{served.start}:main")
    assert landed.taken, landed.err
    assert served.at("main") == served.start


def test_deleting_and_making_again_is_a_rewind(served: Served) -> None:
    """Law 4: neither half goes unseen, and an owner may let both through."""
    assert served.push("main:refs/heads/release/1").taken
    refused = served.push(":refs/heads/release/1")
    assert not refused.taken
    assert any("release/1 stays where it is: deleting it is" in line for line in refused.said), refused.err
    served.work.git("fetch", "-q", "origin")
    empty = served.work.git("hash-object", "-t", "tree", "/dev/null")
    served.agree(empty, "--rewrite", "--target", "release/1")
    gone = served.push(":refs/heads/release/1")
    assert gone.taken, gone.err
    again = served.push("main:refs/heads/release/1")
    assert not again.taken
    assert any("ref.rewritten" in line for line in again.said), again.err


def test_several_refs_stand_or_fall_together(served: Served) -> None:
    """One refused ref refuses the push; --atomic or not."""
    for options in ((), ("--atomic",)):
        assert not served.push("feature:main", "feature:topic", options=options).taken
        assert served.at("topic") == ""


def test_a_symbolic_ref_is_the_branch_that_it_names(served: Served) -> None:
    """Law 4: pushing to an alias of main moves main."""
    served.server.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    assert not served.push("feature:trunk").taken
    assert served.at("main") == served.start


@pytest.mark.parametrize("twin", ["Main", "MAIN", "Release/1"])
def test_a_name_that_folds_to_a_protected_one_is_protected(served: Served, twin: str) -> None:
    """Law 4: a disk or a client that ignores case takes them for one."""
    assert not served.push(f"feature:refs/heads/{twin}").taken


def test_replacements_are_not_taken(served: Served) -> None:
    """refs/replace/* would show other content than what was judged; on the server's side they are ignored."""
    served.work.git("replace", served.start, served.head)
    pushed = served.push(f"refs/replace/{served.start}")
    assert not pushed.taken
    assert "it would show other content" in pushed.words


def test_first_parent_steps_that_are_each_admitted_land_together(served: Served) -> None:
    """Law 5: what a merge queue or two reviewed commits in a row bring."""
    served.agree()
    served.work.write("shop/cart.py", "TOTAL = 2\n")
    second = served.work.commit("Another total")
    assert not served.push("feature:main").taken
    served.agree(second, "--base", served.head)
    served.work.git("fetch", "-q", "origin")
    # the second step's statements are bound to what stands after the first
    pushed = served.push("feature:main")
    assert pushed.taken, pushed.err
    assert served.at("main") == second


def test_commits_of_a_protected_branch_add_no_authors(served: Served) -> None:
    """Law 5: what was admitted on release/1 is nobody's work again on main."""
    served.work.git("switch", "-q", "-c", "fix", "main")
    served.work.write("shop/fix.py", "A = 1\n")
    fixed = served.work.commit("Fix", author="Bob <bob@example.com>")
    assert served.push("main:refs/heads/release/1").taken
    served.agree(fixed, "--target", "release/1")
    assert served.push("fix:refs/heads/release/1").taken
    served.say("propose", "alice", fixed, "--tool", "none")
    served.say("approve", "bob", fixed)
    assert served.push("fix:main").taken


def test_a_broken_policy_never_lands(served: Served) -> None:
    """Not even with every approval: it would admit nothing any more, its own repair included."""
    served.work.write("twohand.toml", served.policy + "\n[surprise]\n")
    served.work.commit("Surprise")
    served.agree()
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert "twohand.toml" in pushed.words
    served.say("waive", "carol", "HEAD", "--finding", "gate-edited", "--reason", "we want it")
    waived = served.push("feature:main")
    assert not waived.taken
    assert "a policy that cannot be used" in waived.words
    assert "surprise" in waived.words


def test_the_first_history_has_to_bring_somebody_who_can_answer(tmp_path: Path, served: Served) -> None:
    """Law 37: an empty repository takes its first history once, if its policy enrols a key."""
    empty = Repo(tmp_path / "empty.git", bare=True)
    enforce(empty)
    plain = Repo(tmp_path / "plain")
    plain.write("a", "a\n")
    plain.commit("a")
    assert "bring a policy that enrols somebody" in push(plain, str(empty.path), "main").said[0]
    assert push(served.work, str(empty.path), "main").taken
    assert not push(served.work, str(empty.path), "feature:main").taken


def test_gitlab_shows_its_own_lines(served: Served) -> None:
    """GitLab's page shows only what bears its prefix."""
    for line in served.push("feature:main", env={"GL_ID": "user-1", "GL_USERNAME": "alice"}).said:
        assert line.startswith("GL-HOOK-ERR: ")


def test_a_forge_names_the_pusher_where_settings_trust_it(served: Served) -> None:
    """Law 10: the variables of whoever calls are nothing, unless the operator says whose they are."""
    served.say("approve", "bob")
    environment = {"GL_USERNAME": "alice"}
    assert not served.push("feature:main", env=environment).taken
    enforce(served.server, '[identity]\ntrust = ["gitlab"]\n')
    pushed = served.push("feature:main", env=environment)
    assert pushed.taken, pushed.err


def test_variables_of_the_pusher_steer_nothing(served: Served, tmp_path: Path) -> None:
    """Settings, git configuration and Python paths of the environment are not looked at."""
    own = tmp_path / "own.toml"
    own.write_text('[identity]\ntrust = ["gitlab"]\n')
    served.say("approve", "bob")
    environment = {
        "TWOHAND_SETTINGS": str(own), "GL_USERNAME": "alice", "PYTHONPATH": str(tmp_path),
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "init.defaultBranch", "GIT_CONFIG_VALUE_0": "elsewhere",
    }  # fmt: skip
    assert not served.push("feature:main", env=environment).taken


def test_a_shallow_pusher_is_judged_on_whole_history(served: Served, tmp_path: Path) -> None:
    """What the pusher lacks, the server has."""
    shallow = Repo.clone(served.server, tmp_path / "shallow", "--depth=1")
    shallow.write("shop/x.py", "x = 1\n")
    shallow.commit("x")
    assert not push(shallow, "origin", "HEAD:main").taken
    assert served.at("main") == served.start


def test_of_two_pushes_one_lands(served: Served) -> None:
    """Both are judged on what would land; git moves the ref from where it was judged, or not at all."""
    served.agree()
    served.work.git("switch", "-q", "-c", "rival", "main")
    served.work.write("shop/rival.py", "R = 1\n")
    rival = served.work.commit("Rival")
    served.agree(rival)
    both = [
        subprocess.Popen(
            ["git", "push", "-q", "origin", f"{name}:main"], cwd=served.work.path, stderr=subprocess.PIPE,
            env=served.work.environment(),
        )
        for name in ("feature", "rival")
    ]  # fmt: skip
    ends = [process.communicate() and process.returncode for process in both]
    assert sorted(ends) == [0, 1]
    assert served.at("main") in (served.head, rival)


def test_a_journal_that_cannot_be_written_refuses(served: Served) -> None:
    """Law 40: without a record there is no admission, and the reason names file and way out."""
    served.agree()
    journal = served.server.path / "twohand" / "journal.db"
    journal.write_bytes(b"garbage " * 1000)
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert "nothing was taken" in pushed.words
    assert "journal.db" in "".join(pushed.said)


def test_ten_thousand_commits_end_with_a_verdict(served: Served) -> None:
    """A push of very many commits is refused for what it is, in time."""
    lines = ["reset refs/heads/many", f"from {served.start}"]
    for number in range(10_000):
        lines += ["commit refs/heads/many", "committer Alice Doe <alice@example.com> 1700000000 +0000", "data 1", "x"]
        lines += [f"M 100644 inline shop/{number % 50}.py", f"data {len(str(number))}", str(number)]
    served.work.git("fast-import", "--quiet", stdin=("\n".join(lines) + "\n").encode())
    pushed = served.push("many:main")
    assert not pushed.taken
    assert "stays where it is" in pushed.words, pushed.err


def test_the_readme_shows_what_a_refused_pusher_reads(served: Served) -> None:
    """README's example is this very output, apart from the commit id."""
    served.work.git("switch", "-q", "-c", "greet", "main")
    served.work.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n")
    head = served.work.commit("Greet")
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    shown = readme.split("<!-- a refused push: tests compare it -->\n```text\n")[1].split("\n```")[0]
    first, *lines = shown.splitlines()
    said = [f"remote: {line}".replace(head[:12], "2c6a76572efb") for line in served.push("HEAD:main").said]
    assert first == "$ git push origin HEAD:main"
    assert said == lines
