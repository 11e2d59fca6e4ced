"""Replay (law 38): what was recorded follows from the events, and what was changed is said. With real git and real keys."""

import io
import json
import random
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import lineage
from streams.commands.app import run
from streams.replay import DIFFERS, SAME, final, replay
from tests.gitrepo import Repo

pytestmark = pytest.mark.xdist_group("replay")

OLD = 'def reset(user):\n    if not user.verified:\n        raise PermissionDenied("no")\n    send(user)\n'
NEW = "def reset(user):\n    send(user)\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("keys")
    for name in ("alice", "bob", "carol"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / name)]
        subprocess.run(command, check=True)
    return {name: home / name for name in ("alice", "bob", "carol")}


@pytest.fixture(scope="module")
def exported(keys: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The journal of a change that two people approved, with three recorded decisions, as lines."""
    home = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in lineage.environment():
            patch.delenv(name, raising=False)
        repo = _shop(home / "repo", keys)
        run(["review", "-C", str(repo.path), "--format", "json"])
        for name in ("bob", "carol"):
            assert run(["approve", "feature", "-C", str(repo.path), "--as", name, "--key", str(keys[name])]) == 0
            run(["review", "-C", str(repo.path), "--format", "json"])
        assert run(["journal", "export", "-C", str(repo.path), "-o", str(home / "events.jsonl")]) == 0
        assert run(["journal", "verify", "-C", str(repo.path)]) == 0
    return Lines((home / "events.jsonl").read_bytes().splitlines())


class Lines(list[bytes]):
    """Lines that do not flood the report of a failure."""

    def __repr__(self) -> str:
        return f"<{len(self)} lines>"


def _shop(path: Path, keys: dict[str, Path]) -> Repo:
    repo = Repo(path)
    people = "".join(
        f'[people.{name}]\nemails = ["{name}@example.com"]\nkeys = ["{key.with_suffix(".pub").read_text().strip()}"]\n'
        for name, key in keys.items()
    )
    law = (
        'version = 1\nrepository = "example/shop"\n[[requirement]]\nname = "a hand"\napprovals = 2\nfrom = ["human"]\n'
    )
    repo.write("twohand.toml", law + '[owners]\nfallback = ["carol"]\n' + people)
    repo.write("reset.py", OLD)
    repo.commit("Start")
    repo.branch("feature")
    repo.write("reset.py", NEW)
    repo.commit("Tidy", sign_key=keys["alice"])
    return repo


def _replayed(lines: list[bytes]):
    return replay(io.BytesIO(b"\n".join(lines)))


def _results(lines: list[bytes]) -> list[str]:
    return [row.result for course in _replayed(lines).courses.values() for row in course.recorded]


def _decisions(lines: list[bytes]) -> int:
    return sum(b"decision-made" in line for line in lines)


def test_recorded_decisions_follow_byte_for_byte(exported: list[bytes]) -> None:
    """Law 38: a replay of the exported journal makes every recorded decision again, byte for byte."""
    assert _results(exported) == [SAME] * 3
    told = _replayed(exported)
    assert (told.verified, told.unverified, told.bad) == (2, 0, [])


def test_repeats_change_nothing(exported: list[bytes]) -> None:
    """Law 38, 42: the same lines twice are the same facts."""
    twice = _replayed([line for line in exported for _ in range(2)] + exported)
    assert twice.repeats == 2 * len(exported)
    assert twice.differing == 0
    assert _final(exported) == _final(exported + exported)


def test_order_of_independent_reviews_does_not_matter(exported: list[bytes]) -> None:
    """Law 38: statements in any order lead to the same last decision."""
    reviews = [line for line in exported if b"review-given" in line]
    others = [line for line in exported if b"review-given" not in line and b"decision-made" not in line]
    last = [line for line in exported if b"decision-made" in line][-1]
    for seed in range(6):
        shuffled = random.Random(seed).sample(reviews, len(reviews))
        told = _replayed([*others, *shuffled, last])
        assert [row.result for course in told.courses.values() for row in course.recorded] == [SAME]


def _final(lines: list[bytes]) -> tuple[str, list[str]]:
    [course] = _replayed(lines).courses.values()
    judgement = final(course)
    assert judgement is not None
    return judgement.outcome, [reason.code for reason in judgement.reasons]


def test_truncated_line_is_named(exported: list[bytes]) -> None:
    """A line that was cut off is named with its number; nothing is skipped silently."""
    told = _replayed([*exported[:-1], exported[-1][:-40]])
    assert [row.line for row in told.bad] == [len(exported)]
    assert "no JSON" in told.bad[0].reason


def test_forged_id_is_said(exported: list[bytes]) -> None:
    """Law 42: an id that is not the digest of the body makes the line nothing."""
    told = _replayed([*exported[:-1], exported[-1].replace(b'"outcome":"', b'"outcome":"x')])
    assert len(told.bad) == 1
    assert "not the digest" in told.bad[0].reason


def test_statement_under_another_name_counts_for_nothing(exported: list[bytes]) -> None:
    """Law 17, 19: an edited statement with a fresh id is folded without a signer, and the decision on it differs."""
    lines = [_edited(line) if b'"reviewer":"bob"' in line else line for line in exported]
    told = _replayed(lines)
    assert told.unverified == 1
    assert told.bad == []
    results = [row.result for course in told.courses.values() for row in course.recorded]
    assert results[0] == SAME
    assert results[1] == DIFFERS


def _edited(line: bytes) -> bytes:
    from streams.engines.codec import TYPES, envelope, revive

    raw = json.loads(line)
    raw["data"]["statement"] = raw["data"]["statement"].replace('"reason":""', '"reason":"!"')
    event = revive(TYPES[raw["type"]], raw["data"], raw["time"])
    return json.dumps(envelope(event, raw["source"]), default=_plain).encode()


def _plain(value: object) -> object:
    return value._asdict()  # type: ignore[attr-defined]


def test_changed_decision_names_the_first_difference(exported: list[bytes], tmp_path: Path, capsys) -> None:
    """A decision that does not follow is shown with the place where it departs; exit code 1."""
    from streams.engines.codec import TYPES, envelope, revive

    raw = json.loads(exported[-1])
    raw["data"]["decision"] = (
        raw["data"]["decision"].replace('"admitted"', '"blocked"', 1).replace('"pending"', '"admitted"', 1)
    )
    raw["data"]["outcome"] = "admitted" if raw["data"]["outcome"] != "admitted" else "blocked"
    event = revive(TYPES[raw["type"]], raw["data"], raw["time"])
    forged = json.dumps(envelope(event, raw["source"])).encode()
    path = tmp_path / "forged.jsonl"
    path.write_bytes(b"\n".join([*exported[:-1], forged]))
    assert run(["replay", str(path)]) == 1
    out = capsys.readouterr().out
    assert "differs: " in out
    assert "was recorded" in out
    assert "follows" in out


def test_decision_before_its_change_differs(exported: list[bytes]) -> None:
    """A decision about nothing that was proposed cannot follow from anything."""
    last = [line for line in exported if b"decision-made" in line][-1:]
    told = _replayed(last)
    [course] = told.courses.values()
    assert course.recorded[0].difference == "no change was proposed before it"


def test_cli_reads_standard_input_and_files(exported: list[bytes], tmp_path: Path, capsys, monkeypatch) -> None:
    """`replay` says same for each decision; a bad line makes exit code 2, and another policy answers what-if."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(exported))
    assert run(["replay", str(path), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["result"] for row in told["changes"][0]["recorded"]] == [SAME] * 3
    assert told["decisions"] == _decisions(exported)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(exported) + b"\nnonsense\n")))
    assert run(["replay", "-", "--format", "jsonl"]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["bad_line"]["line"] == len(exported) + 1

    what_if = tmp_path / "strict.toml"
    what_if.write_text('version = 1\n[[requirement]]\nname = "models"\napprovals = 3\nfrom = ["model"]\n')
    assert run(["replay", str(path), "--policy", str(what_if), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["changes"][0]["outcome"] != "admitted"


def test_missing_file_and_broken_policy_are_usage_errors(tmp_path: Path, capsys) -> None:
    """What cannot be opened is said with what to do next; exit code 2."""
    assert run(["replay", str(tmp_path / "none.jsonl")]) == 2
    assert "journal export" in capsys.readouterr().err
    policy = tmp_path / "p.toml"
    policy.write_text("version = 9\n")
    assert run(["replay", str(tmp_path / "none.jsonl"), "--policy", str(policy)]) == 2
    assert "version" in capsys.readouterr().err


def test_a_head_that_comes_back_still_follows(keys: dict[str, Path], tmp_path: Path, capsys, monkeypatch) -> None:
    """A log holds an equal proposal once; a decision on a head that was pushed back follows from it all the same."""
    monkeypatch.setenv("HOME", str(tmp_path))
    repo = _shop(tmp_path / "repo", keys)
    first = repo.id("HEAD")
    review = ["review", "-C", str(repo.path), "--format", "json", "--change", "7"]
    run(review)
    repo.write("reset.py", NEW + "# more\n")
    repo.commit("More")
    run(review)
    repo.git("reset", "-q", "--hard", first)
    time.sleep(1.1)  # instants are whole seconds: within one, the same decision is the same fact
    run(review)
    run(["journal", "export", "-C", str(repo.path), "-o", str(tmp_path / "events.jsonl")])
    capsys.readouterr()
    assert run(["replay", str(tmp_path / "events.jsonl"), "--format", "json"]) == 0
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert [row["result"] for row in change["recorded"]] == [SAME] * len(change["recorded"])
    assert len(change["recorded"]) == 3
    assert change["decision"]["change"]["head"] == first


def test_broken_journal_row_is_named(keys: dict[str, Path], tmp_path: Path, capsys, monkeypatch) -> None:
    """`journal verify` names the row that was changed, with exit code 1; without a journal it is a usage error."""
    import sqlite3

    monkeypatch.setenv("HOME", str(tmp_path))
    repo = _shop(tmp_path / "repo", keys)
    assert run(["journal", "verify", "-C", str(repo.path)]) == 2
    run(["review", "-C", str(repo.path), "--format", "json"])
    with sqlite3.connect(repo.path / ".git/twohand/journal.db") as db:
        db.execute("update log set body = replace(body, 'example/shop', 'example/shoq') where offset = 1")
    capsys.readouterr()
    assert run(["journal", "verify", "-C", str(repo.path)]) == 1
    assert "row 1 is broken" in capsys.readouterr().out


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_crash_it(data: bytes) -> None:
    """Any bytes are events or bad lines, every line that is not blank once."""
    told = replay(io.BytesIO(data))
    lines = [line for line in data.split(b"\n") if line.rstrip(b"\r").strip()]
    assert len(told.bad) + told.events + told.repeats == len(lines)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_edited_event_crashes_it(exported: list[bytes], data: st.DataObject) -> None:
    """A value anywhere in an event replaced by another, with the id made right again, is told or folded, never a crash."""
    from streams.engines.codec import TYPES, envelope, revive

    at = data.draw(st.integers(0, len(exported) - 1))
    raw = json.loads(exported[at])
    name = data.draw(st.sampled_from(sorted(raw["data"])))
    old = raw["data"][name]
    same_kind = st.text(max_size=12) if isinstance(old, str) else st.just([]) if isinstance(old, list) else _JSON
    raw["data"][name] = data.draw(same_kind | _JSON)
    try:
        line = json.dumps(envelope(revive(TYPES[raw["type"]], raw["data"], raw["time"]), "x"), default=_plain).encode()
    except ValueError:
        line = json.dumps(raw).encode()
    told = _replayed([*exported[:at], line, *exported[at + 1 :]])
    for course in told.courses.values():
        final(course)
        assert not any("cannot be made again" in row.difference for row in course.recorded), course.recorded
        assert course.trouble in ("", "no change was proposed"), course.trouble


def test_a_wrong_file_is_told_in_a_few_lines(tmp_path: Path, capsys) -> None:
    """The first five lines that are no events are told one by one, the others as a count; JSON has all."""
    path = tmp_path / "README.md"
    path.write_text("words\n" * 40)
    assert run(["replay", str(path)]) == 2
    out = capsys.readouterr().out
    assert out.count(": no event: ") == 5
    assert "35 more lines that are no events" in out
    assert run(["replay", str(path), "--format", "json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["bad_lines"]) == 40
