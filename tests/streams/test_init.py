"""`twohand init` (law 37): a first policy that is always valid, whatever the repository says. With real git."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import commits, lineage, policy
from streams import contributors, first_policy
from streams.commands.app import run
from streams.contributors import Contributor, History, Tool
from streams.first_policy import FoundKey, Profile, Shown
from streams.survey import repository_of, split_signer
from tests.gitrepo import EPOCH, Repo

YEAR = 366 * 86400


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in lineage.environment():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.git("config", "user.name", "Alice Doe")
    repo.git("config", "user.email", "alice@example.com")
    return repo


def _written(repo: Repo) -> policy.Policy:
    return policy.parse(repo.file("twohand.toml").read_bytes(), "twohand.toml")


def _key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "k", "-f", str(path)], check=True)
    return path.with_name(path.name + ".pub").read_text().strip()


def test_people_keys_and_paths_come_out_of_the_repository(repo: Repo, tmp_path: Path, capsys) -> None:
    """People with all their addresses, the key of who runs it, security paths, remote and release branches."""
    repo.git("remote", "add", "origin", "https://bot:secret@forge.example/shop/web.git")
    key = _key(tmp_path / ".ssh" / "id_ed25519")
    repo.write("src/login.py", "x = 1\n")
    repo.write("src/mfa/code.py", "x = 1\n")
    repo.write(".github/CODEOWNERS", "* @alice @shop/security\n")
    repo.commit("One")
    repo.commit("Two", author="Alice Doe <12+alice-d@users.noreply.github.com>")
    repo.commit("Three", author="Bob <Bob@Example.com>")
    repo.commit("Four", author="Bobby <bob@example.com>")
    repo.commit("Five\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>")
    repo.commit("Bump", author="dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>")
    repo.git("branch", "release/1.0")
    assert run(["init", "-C", str(repo.path)]) == 0
    found = _written(repo)
    assert found.repository == "shop/web"
    assert found.protect == ("main", "release/**")
    assert set(found.people) == {"alice-doe", "bob"}
    assert found.people["alice-doe"].emails == ("alice@example.com",)
    assert found.people["alice-doe"].accounts == ("github:alice-d",)
    assert [one.line for one in found.people["alice-doe"].keys] == [" ".join(key.split()[:2])]
    assert found.people["bob"].emails == ("bob@example.com",)
    assert found.agents == {}
    text = repo.file("twohand.toml").read_text()
    assert '"**/*login*"' in text
    assert '"**/mfa/**"' in text
    assert "# [agents.claude]" in text
    assert "# [services.dependabot-bot]" in text
    assert "# security = " in text
    out = capsys.readouterr().out
    assert "secret" not in out + text
    assert "BEFORE you commit, ask bob" in out
    assert out.index("BEFORE you commit") < out.index("git commit")
    assert "with a key: alice-doe\n" in out
    assert found.owners.fallback == ("alice-doe",)
    assert "Law 37" in out


def test_one_person_alone_can_pass_the_first_policy_honestly(repo: Repo, tmp_path: Path, capsys) -> None:
    """Law 24: with the solo profile a person's own signed approval admits, and the decision is stamped for what it is."""
    _key(tmp_path / ".ssh" / "id_ed25519")
    repo.write("auth/a.py", "x = 1\n")
    repo.commit("One")
    where = ["-C", str(repo.path)]
    assert run(["init", *where]) == 0
    modes = _written(repo).independence
    assert (modes.identity, modes.operator, modes.family) == ("advise", "advise", "block")
    assert "not independent" in capsys.readouterr().out
    assert run(["policy", "validate", *where]) == 0
    assert "note:" not in capsys.readouterr().out
    repo.commit("Policy")
    repo.branch("feature")
    repo.write("auth/a.py", "x = 2\n")
    repo.commit("Two")
    assert run(["propose", "feature", "--tool", "none", *where]) == 0
    assert run(["approve", "feature", *where]) == 0
    capsys.readouterr()
    assert run(["review", *where, "--format", "json"]) == 0
    assert "not independent" in capsys.readouterr().out


def test_without_two_keys_it_says_not_to_commit_yet(repo: Repo, tmp_path: Path, capsys) -> None:
    """A team of whom nobody has a key is told to collect them first, and how; a key is found when it is run again."""
    for number in range(4):
        repo.commit(f"Bob {number}", author="Bob <bob@example.com>")
        repo.commit(f"Alice {number}")
    assert run(["init", "-C", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert "twohand init --profile team --force" in out
    assert "Do not commit it yet: nobody has a key" in out
    assert "NO KEY YET" in repo.file("twohand.toml").read_text()
    _key(tmp_path / ".ssh" / "id_ed25519")
    assert run(["init", "-C", str(repo.path), "--force"]) == 0
    assert "only alice-doe has a key" in capsys.readouterr().out
    text = repo.file("twohand.toml").read_text()
    assert "# alice-doe: runs `twohand init`, has a key, 4 of 8 commits in the latest year\n" in text
    assert '# Add them once their keys stand below: ["bob"]' in text


def test_quiet_prints_the_path_that_it_wrote(repo: Repo, capsys) -> None:
    """One line for scripts."""
    assert run(["init", "-C", str(repo.path), "-q"]) == 0
    assert capsys.readouterr().out == f"{repo.file('twohand.toml')}\n"


def _seen(rows: list[tuple[str, str, int]]) -> History:
    made: list[commits.Commit] = []
    for name, email, count in rows:
        who = f"{name} <{email}> {EPOCH} +0000"
        text = f"tree {'0' * 40}\nauthor {who}\ncommitter {who}\n\nx\n".encode()
        made += [commits.parse(f"{len(made) + at:040x}", text) for at in range(count)]
    return contributors.read(made)


def test_passers_by_are_not_enrolled_and_own_nothing() -> None:
    """Whoever made few of the latest year's commits stands in a comment; a key alone makes nobody an owner."""
    history = _seen(
        [("Busy", "busy@example.com", 40), ("Second", "second@example.com", 9), ("Guest", "g@example.com", 1)]
    )
    keys = {slug: (FoundKey(f"ssh-ed25519 {blob}", "x"),) for slug, blob in (("guest", _OTHER), ("second", _BLOB))}
    shown = Shown(history, me="busy", keys={"second": keys["second"]})
    assert [one.slug for one in first_policy.enrolled(shown)] == ["busy", "second"]
    assert first_policy.fallback(shown) == ("second",)
    assert "# [people.guest]" in first_policy.text_of(shown, Profile.TEAM)
    with_guest = Shown(history, me="busy", keys=keys)
    assert [one.slug for one in first_policy.enrolled(with_guest)] == ["busy", "second", "guest"]
    assert first_policy.fallback(with_guest) == ("second",)
    text = first_policy.text_of(with_guest, Profile.OPEN_SOURCE)
    assert policy.parse(text, "t").teams["maintainers"] == ("second",)


def test_two_names_of_one_account_are_one_person() -> None:
    """A shared noreply login or number, and a name that is the login: one entry (law 15)."""
    noreply = "users.noreply.github.com"
    history = _seen([
        ("Xing Han Lu", f"21+xhluca@{noreply}", 3),
        ("xhluca", "x@example.org", 2),
        ("Xing H.", f"xhluca@{noreply}", 1),
        ("Renamed", f"21+newname@{noreply}", 1),
    ])  # fmt: skip
    assert [(one.slug, one.commits) for one in history.people] == [("xing-han-lu", 7)]


def test_a_handle_of_two_people_is_a_doubt_that_is_written(repo: Repo, capsys) -> None:
    """Equal parts before the @ may be chance: both are enrolled, and file and output warn."""
    for number in range(3):
        repo.commit(f"A{number}", author="Kim Gustyr <khvn26@example.com>")
        repo.commit(f"B{number}", author="K. G. <khvn26@example.org>")
    assert run(["init", "-C", str(repo.path)]) == 0
    assert '# The same person as "kim-gustyr"?' in repo.file("twohand.toml").read_text()
    assert "perhaps one person: k-g, kim-gustyr" in capsys.readouterr().out
    common = _seen([("Ann A", "info@example.com", 1), ("Bea B", "info@example.org", 1), ("Cy C", "cy@a", 1)])
    assert [one.perhaps for one in common.people] == [()] * 3


def test_no_commit_yet_still_works(repo: Repo, capsys) -> None:
    """In an empty repository the one who runs it is enrolled."""
    assert run(["init", "-C", str(repo.path)]) == 0
    assert set(_written(repo).people) == {"alice-doe"}
    assert "no commit yet" in capsys.readouterr().out


def test_an_existing_policy_is_never_overwritten_without_force(repo: Repo, capsys) -> None:
    """A twohand.toml, a dangling link of its name and [tool.twohand] are left alone; --force writes."""
    repo.write("twohand.toml", "mine\n")
    assert run(["init", "-C", str(repo.path)]) == 2
    assert repo.file("twohand.toml").read_text() == "mine\n"
    assert run(["init", "-C", str(repo.path), "--force"]) == 0
    assert _written(repo).version == 1
    repo.link("twohand.toml", "nowhere")
    assert run(["init", "-C", str(repo.path)]) == 2
    repo.remove("twohand.toml")
    repo.write("pyproject.toml", "[tool.twohand]\nversion = 1\n")
    assert run(["init", "-C", str(repo.path)]) == 2
    assert not repo.file("twohand.toml").exists()
    assert "pyproject.toml" in capsys.readouterr().err


def test_dry_run_prints_the_policy_and_writes_nothing(repo: Repo, capsys) -> None:
    """Standard output is the file itself; what was found goes to standard error."""
    repo.commit("One")
    assert run(["init", "-C", str(repo.path), "--dry-run", "--profile", "team"]) == 0
    out = capsys.readouterr()
    assert policy.parse(out.out, "twohand.toml").people
    assert "Left to do" in out.err
    assert not repo.file("twohand.toml").exists()


def test_keys_of_allowed_signers_go_to_exactly_their_address(repo: Repo, tmp_path: Path) -> None:
    """A key counts for the address that is written out; patterns, other namespaces and strangers are left out."""
    bob, other = _key(tmp_path / "bob"), _key(tmp_path / "other")
    repo.write(
        ".github/allowed_signers",
        f'# ours\nbob@example.com valid-after="20200101" {bob}\n*@example.com {other}\n'
        f'alice@example.com namespaces="git" {other}\nzed@example.com {other}\nalice@example.com cert-authority {other}\n',
    )
    repo.commit("One", author="Bob <bob@example.com>")
    repo.commit("Two")
    assert run(["init", "-C", str(repo.path)]) == 0
    people = _written(repo).people
    assert [one.valid_after for one in people["bob"].keys] == ["2020-01-01T00:00:00Z"]
    assert people["alice-doe"].keys == ()


def test_hostile_names_stay_text(repo: Repo) -> None:
    """Quotes, brackets, escapes and invisible characters of a name or an address write no TOML of their own."""
    for number, name in enumerate(
        ('"]\\n[people.eve]', "x\\", "\u202eevil\u2066", "'''", "Ünï çödé", "[agents.a]", "日本")
    ):
        raw = f'tree {repo.git("write-tree")}\nauthor {name} <a{number}"@x> {EPOCH + number} +0000\n'
        raw += f"committer C <c@example.com> {EPOCH} +0000\n\nx\n"
        parent = repo.git("rev-parse", "--verify", "-q", "HEAD") if number else ""
        if parent:
            raw = raw.replace("\nauthor", f"\nparent {parent}\nauthor", 1)
        repo.git("update-ref", "refs/heads/main", repo.commit_raw(raw.encode()))
    assert run(["init", "-C", str(repo.path), "--quiet"]) == 0
    found = _written(repo)
    assert "eve" not in found.people
    assert found.agents == {}
    assert "\u202e" not in repo.file("twohand.toml").read_text()


_TEXT = st.text(max_size=30)
_PEOPLE = st.builds(
    Contributor,
    slug=_TEXT.map(contributors.slug_of).filter(bool),
    name=_TEXT,
    emails=st.lists(_TEXT | st.emails(), max_size=3, unique=True).map(tuple),
    accounts=st.lists(_TEXT | st.just("github:x"), max_size=2, unique=True).map(tuple),
    commits=st.integers(0, 9),
    recent=st.integers(0, 9),
    last=st.integers(0, 9),
)
_TOOLS = st.builds(
    Tool, st.sampled_from(("agent", "service")), _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, st.integers(1, 9)
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    people=st.lists(_PEOPLE, max_size=6, unique_by=lambda one: one.slug),
    tools=st.lists(_TOOLS, max_size=4),
    profile=st.sampled_from(Profile),
    where=_TEXT,
    teams=st.lists(_TEXT, max_size=3),
)
def test_what_is_written_is_always_a_policy(people, tools, profile, where, teams) -> None:
    """Whatever the repository says, the text parses, and enrols exactly the people that were meant."""
    seen = [one for one in people if one.slug != "maintainers"]
    keys = {one.slug: (FoundKey("ssh-ed25519 " + _BLOB, where),) for one in seen[:1]}
    shown = Shown(
        History(tuple(seen), tuple(tools), 1, 1),
        keys=keys,
        owners_file=".github/CODEOWNERS",
        owners_named=tuple(f"@a/{t}" for t in teams),
    )
    found = policy.parse(first_policy.text_of(shown, profile), "twohand.toml")
    assert set(found.people) == {one.slug for one in first_policy.enrolled(shown)}
    assert found.agents == found.services == {}


_OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIMVz+ZCpiL6Fw5S8owTnyubjPtpG+dWlPcfL+BOX/ZQf"
_BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIIQzm90IgS5jwCJn3CFBTAhV8nmqqpMtAv/2GzxdnoM4"


def test_people_of_the_latest_year_stand_first() -> None:
    """Activity in the latest year orders people; whoever has none is not enrolled, and named in a comment."""
    rows = [("Old", 50, EPOCH - 2 * YEAR), ("Busy", 3, EPOCH), ("New", 1, EPOCH)]
    made = [_commit(f"{name}{at}", name, when) for name, count, when in rows for at in range(count)]
    history = contributors.read(made)
    assert [one.slug for one in history.people] == ["busy", "new", "old"]
    text = first_policy.text_of(Shown(history), Profile.TEAM)
    assert set(policy.parse(text, "t").people) == {"busy", "new"}
    assert "# [people.old]" in text


def _commit(commit: str, name: str, when: int) -> commits.Commit:
    who = f"{name} <{name.lower()}@example.com> {when} +0000"
    return commits.parse(commit, f"tree {'0' * 40}\nauthor {who}\ncommitter {who}\n\nx\n".encode())


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://user:token@github.com/example/shop.git", "example/shop"),
        ("git@gitlab.com:group/sub/shop.git", "group/sub/shop"),
        ("ssh://git@host:2222/~example/shop", "example/shop"),
        ("/srv/git/shop.git", ""),
        ("../shop", ""),
        ("C:\\shop", ""),
        ("file:///srv/git/shop.git", ""),
        ("https://host/shop", ""),
        ('https://host/a"b/c', ""),
        ("https://[broken/a/b", ""),
    ],
)
def test_repository_name_of_a_remote(url: str, name: str) -> None:
    """Owner and name of a remote's address; never its user, password or host, and nothing of a local path."""
    assert repository_of(url) == name


def test_signer_lines() -> None:
    """Addresses may be quoted and listed; comments say nothing."""
    assert split_signer('"A@x.org,b@x.org" ssh-ed25519 AAAA') == (["a@x.org", "b@x.org"], "ssh-ed25519 AAAA")
    assert split_signer("# a@x.org ssh-ed25519 AAAA") == ([], "")
    assert split_signer("a@x.org\tssh-ed25519 AAAA") == (["a@x.org"], "ssh-ed25519 AAAA")


def test_a_bare_repository_only_shows(tmp_path: Path, capsys) -> None:
    """There is nowhere to write to; --dry-run still prints."""
    bare = Repo(tmp_path / "bare.git", bare=True)
    assert run(["init", "-C", str(bare.path)]) == 2
    assert "working tree" in capsys.readouterr().err
    assert run(["init", "-C", str(bare.path), "--dry-run"]) == 0
