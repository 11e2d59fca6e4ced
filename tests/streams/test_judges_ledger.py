"""The ledger: what reviews took, also of several processes at once, and what is kept (law 40)."""

import json
import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from reviewers.judging import Coverage, Dropped, RawAnswer, Status, Verdict, Word
from rules.findings import Finding, Tier, Uncovered
from streams.engines.journal import Journal
from streams.judges import ledger as ledgers
from streams.judges.ledger import Ledger, Place
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from streams.metrics_text import Exporter
from streams.settings_reviewers import Reviewer
from tests.streams.bench import CODE, Bench, Table
from tests.streams.gate import clean_environment
from tests.streams.keys import make_keys

ROOT = Path(__file__).resolve().parents[2]
WHO = Reviewer("one", "https://llm.example/v1", "qwen3-coder", price_in=2.0, price_out=10.0)
PLACE = Place("2026-03-01T12:00:00Z", "c1", "k1", WHO)
SAID = Verdict(
    Status.COMPLETED,
    Word.OBJECT,
    "why",
    findings=(Finding("model-finding", Tier.HOLD, "a.py", "old", 3, "gone", "if x:"),),
    uncovered=(Uncovered("b.bin", "binary"),),
    coverage=Coverage(2, 1, 9, 8, 3, 3),
    dropped=(Dropped("a.py", "no such line"),),
    reported_model="qwen3-coder",
    session="twohand:0",
    tokens_in=1000,
    tokens_out=100,
    tokens_exact=True,
    answers=(RawAnswer("r" * 64, "a" * 64, b'{"x": 1}', 200, 0.5),),
)


def seal(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()


def is_good(data: bytes, sealed: bytes) -> bool:
    return seal(data) == sealed


def test_a_verdict_comes_back_as_it_was(tmp_path: Path) -> None:
    """All but the answers' bodies, which are kept once by their digest."""
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        assert book.kept("key", is_good) is None
        book.keep("key", SAID, PLACE.at, seal)
        kept = book.kept("key", is_good)
        assert kept is not None
        assert kept._replace(answers=()) == SAID._replace(answers=())
        assert [answer.sha256 for answer in kept.answers] == ["a" * 64]
        number, over = book.enter(PLACE, 500)
        book.settle(number, PLACE, SAID, 1.5)
        assert (over, book.answer("a" * 64)) == ("", b'{"x": 1}')


def test_money_is_counted_in_millionths(tmp_path: Path) -> None:
    """2.0 for a million in and 10.0 for a million out: 1,000 and 100 tokens are 0.003."""
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        book.settle(book.enter(PLACE, 10)[0], PLACE, SAID, 1.0)
        book.reuse(PLACE, SAID)
        (paid, free) = book.entries()
        assert (paid.micros, paid.exact, free.micros, free.cached) == (3000, True, 0, True)
        assert ledgers.total(book.entries()) == (1000, 100, 3000)
        assert list(book.entries("2026-03-02T00:00:00Z")) == []


def test_several_at_once_stay_in_one_budget(tmp_path: Path) -> None:
    """Each enters before it asks: of ten at the same time, as many go on as the budget has room for."""
    place = PLACE._replace(reviewer=WHO._replace(tokens_per_day=3500))
    Journal(tmp_path / "j.db").__exit__()

    def enter(_: int) -> int:
        with Journal(tmp_path / "j.db") as journal:
            return Ledger(journal).enter(place, 1000)[0]

    with ThreadPoolExecutor(5) as pool:
        numbers = list(pool.map(enter, range(10)))
    assert sum(number > 0 for number in numbers) == 3


def test_what_was_never_settled_keeps_counting(tmp_path: Path) -> None:
    """A process that was killed may have spent what it entered; broken off, it counts at least what it took."""
    place = PLACE._replace(reviewer=WHO._replace(tokens_per_change=2500))
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        assert book.enter(place, 1000)[0]
        second, _ = book.enter(place, 1000)
        assert "tokens_per_change is 2,500: 2,000 are spent" in book.enter(place, 1000)[1]
        book.leave(second, (400, 20), place.reviewer)
        assert [(row.status, row.tokens_in, row.tokens_out) for row in book.entries()] == [
            ("open", 1000, 0),
            ("broken-off", 1000, 20),
        ]
        assert book.enter(place._replace(change="c2"), 1000)[0]


def test_budgets_of_money_and_days(tmp_path: Path) -> None:
    """Another day is another budget; the repository's holds for ever."""
    daily = PLACE._replace(reviewer=WHO._replace(money_per_day=0.003))
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        book.settle(book.enter(daily, 1000)[0], daily, SAID, 1.0)
        assert "money_per_day is 0.003: 0.003 is spent" in book.enter(daily, 1)[1]
        assert book.enter(daily._replace(at="2026-03-02T00:00:00Z"), 1000)[0]
        ever = daily._replace(at="2027-01-01T00:00:00Z", reviewer=WHO._replace(money_per_repository=0.004))
        assert "money_per_repository" in book.enter(ever, 1000)[1]


def test_kept_answers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(ledgers, "KEPT", 3000)
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        for number in range(6):
            answer = RawAnswer("r", f"{number}", os.urandom(1000), 200, 0.1)
            book.settle(book.enter(PLACE, 1)[0], PLACE, SAID._replace(answers=(answer,)), 0.1)
        assert [number for number in range(6) if book.answer(str(number)) is not None] == [4, 5]


def test_a_journal_without_a_ledger_has_spent_nothing(tmp_path: Path) -> None:
    """Also where it is only read."""
    Journal(tmp_path / "j.db").__exit__()
    with Journal(tmp_path / "j.db", writable=False) as journal:
        book = Ledger(journal, write=False)
        assert (list(book.entries()), book.kept("x", is_good), book.answer("x")) == ([], None, None)


def test_nothing_spent_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`twohand cost` before any review, and with a span that is none."""
    clean_environment(monkeypatch, tmp_path)
    (tmp_path / "keys").mkdir()
    bench = Bench(
        tmp_path, make_keys(tmp_path / "keys"), capsys, [Table("one", "http://127.0.0.1:9/v1", "qwen3-coder")]
    )
    assert bench.run("cost").out == "no model review: nothing was spent\n"
    assert json.loads(bench.run("cost", "--format", "json").out)["reviewers"] == []
    said = bench.run("cost", "--since", "yesterday")
    assert (said.code, "--since 'yesterday'" in said.err) == (2, True)


def test_metrics_tell_what_was_taken(tmp_path: Path) -> None:
    """Reviews by status, tokens by direction, money, and what was kept; nothing of it without a ledger."""
    with Journal(tmp_path / "j.db") as journal:
        assert b"twohand_model" not in Exporter(tmp_path / "j.db")()
        book = Ledger(journal)
        book.settle(book.enter(PLACE, 10)[0], PLACE, SAID, 1.0)
        book.settle(book.enter(PLACE, 10)[0], PLACE, SAID._replace(status=Status.TIMEOUT), 1.0)
        book.reuse(PLACE, SAID)
        lines = Exporter(tmp_path / "j.db")().decode().splitlines()
    for line in (
        'twohand_model_reviews_total{reviewer="one",status="completed"} 2.0',
        'twohand_model_reviews_total{reviewer="one",status="timeout"} 1.0',
        'twohand_model_reviews_kept_total{reviewer="one"} 1.0',
        'twohand_model_tokens_total{direction="in",reviewer="one"} 2000.0',
        'twohand_model_money_total{reviewer="one"} 0.006',
    ):
        assert line in lines


def test_a_terminal_shows_who_judges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal a row of each reviewer under way is drawn anew: its model, the pass, the seconds, the tokens."""
    clean_environment(monkeypatch, tmp_path)
    (tmp_path / "keys").mkdir()
    with ScriptedServer([Rule(delay_ms=900)]) as server:
        bench = Bench(tmp_path, make_keys(tmp_path / "keys"), capsys, [Table("slow", server.url, "qwen3-coder")])
        bench.change(CODE.replace("user", "account"))
        leader, follower = pty.openpty()
        command = [sys.executable, "-c", "from streams.cli import main; main()", "review", "-C", str(bench.repo.path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
        running = subprocess.Popen(
            [*command, "--settings", str(bench.settings)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=follower,
            env=environment,
        )  # fmt: skip
        os.close(follower)
        seen = b""
        while chunk := _read(leader):
            seen += chunk
        os.close(leader)
        assert running.wait(60) == 0
    text = seen.decode("utf-8", "replace")
    assert "slow: approve" in text
    for words in ("qwen3-coder", "asking", "blind", "with context", " s", "tokens"):
        assert words in text


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65_536)
    except OSError:
        return b""
