"""What somebody would try who writes the change, the journal or the endpoint's answers (law 17-25, 34, 40)."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reviewers.answer import read
from reviewers.judging import Context, Endpoint, Limits, Status, Verdict, Word
from reviewers.request import SAID, asked
from reviewers.sheets import sheets
from rules.catalog.secret_added import credentials
from rules.report import Invalid
from rules.rule import Diff
from streams.engines.journal import Journal
from streams.judges.ledger import Ledger, Place
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from streams.judges.wire import _trust
from streams.settings import parse
from streams.settings_reviewers import Reviewer
from tests.streams.bench import CODE, Bench, Table
from tests.streams.gate import clean_environment
from tests.streams.judged import CHANGE, KEY, answered, ask, endpoint

QWEN, MISTRAL = "qwen3-coder", "mistral-large"
TOKEN = "AKIA" + "QX4TZ7PLM2WKD5RV"
LETTERS = str.maketrans("0123456789abcdef", "2Q7XKVB3MZ5RTWLD")
EDITED = CODE.replace("user", "account")
Make = Callable[..., Bench]


@pytest.fixture
def make(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Make:  # fmt: skip
    clean_environment(monkeypatch, tmp_path)
    return lambda *tables: Bench(tmp_path, keys, capsys, tables)


def decision(bench: Bench) -> dict[str, Any]:
    said = bench.run("review", "--format", "json")
    assert said.out, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def rewrite(bench: Bench, old: str, new: str) -> None:
    """Change what the journal's file keeps of models' answers, as anybody can who may write it."""
    with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
        db.execute("update judged set verdict = replace(verdict, ?, ?)", (old, new))


# -- asking until it agrees --------------------------------------------------------------------------------------------


def test_a_harmless_approval_before_opens_no_second_chance(make: Make) -> None:
    """A model that approved an earlier content and abstains now is not asked again by running the review again."""
    with ScriptedServer([Rule(finds="def more", verdict="abstain", times=1), Rule()]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 0
        bench.change(EDITED + "def more():\n    return 1\n")
        assert bench.run("review").code == 5
        asked = len(server.requests)
        assert [bench.run("review").code for _ in range(2)] == [5, 5]
        assert len(server.requests) == asked


def test_an_endpoint_that_counts_beyond_measure_costs_its_own_budget(tmp_path: Path) -> None:
    """A bill that no ledger could hold is the largest that it can, and the reviewer is over its budget."""
    dear = Reviewer("one", "https://llm.example/v1", QWEN, price_in=1e9, price_out=1e9, money_per_day=1e9)
    place = Place("2026-03-01T12:00:00Z", "c", "k", dear)
    billed = Verdict(Status.INVALID, Word.ABSTAIN, "", tokens_in=(1 << 40) - 1, tokens_out=(1 << 40) - 1)
    with Journal(tmp_path / "j.db") as journal:
        book = Ledger(journal)
        book.settle(book.enter(place, 1)[0], place, billed, 0.1)
        assert "money_per_day" in book.enter(place, 1)[1]


# -- kept answers ------------------------------------------------------------------------------------------------------


def test_a_kept_answer_that_somebody_rewrote_is_none(make: Make) -> None:
    """Law 19: a right to write the journal is no identity; the reviewer signs no approval that it did not give."""
    with ScriptedServer([Rule(verdict="abstain")]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 5
        asked = len(server.requests)
        rewrite(bench, "abstain", "approve")
        assert bench.run("review").code == 5
        assert len(server.requests) > asked


@pytest.mark.parametrize("new", ["", "[]", "null", '{"said": 1, "seal": 2}', '{"said": "{}", "seal": "x"}'])
def test_a_kept_answer_that_is_broken_is_asked_for_again(make: Make, new: str) -> None:
    """Whatever stands there instead, the review goes on."""
    with ScriptedServer([Rule(verdict="abstain")]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 5
        with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
            db.execute("update judged set verdict = ?", (new,))
        said = bench.run("review")
        assert (said.code, "internal error" in said.err) == (5, False)


def test_a_kept_answer_of_another_content_is_none(make: Make) -> None:
    """An approval of something harmless, moved to the place of what was not approved."""
    with ScriptedServer([Rule(finds="def more", verdict="abstain"), Rule()]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 0
        bench.change(EDITED + "def more():\n    return 1\n")
        assert bench.run("review").code == 5
        with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
            rows = dict(db.execute("select key, verdict from judged").fetchall())
            approved = next(text for text in rows.values() if "approve" in text)
            db.execute("update judged set verdict = ?", (approved,))
        assert bench.run("review").code == 5


# -- what leaves the machine, and what comes into the record -----------------------------------------------------------


def test_credentials_in_names_do_not_leave(make: Make) -> None:
    """A file that is called by a token is shown without it, in both passes, and a finding about it is at the file."""
    with ScriptedServer([Rule(finds="account", verdict="object")]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change("account = 1\n", f"keys/{TOKEN} old.py")
        found = decision(bench)
        assert TOKEN not in json.dumps([request.body for request in server.requests])
        assert "withheld" in server.requests[0].body["messages"][1]["content"]
    assert [row["path"] for row in found["findings"] if row["rule"] == "model-finding"] == [f"keys/{TOKEN} old.py"]


def test_half_a_credential_does_not_leave() -> None:
    """A long message is cut after its credentials are out: a long one makes room for the half of another."""
    long = "sk-ant-" + "api03-" + "".join(sha256(str(number).encode()).hexdigest() for number in range(100))
    for shift in range(0, len(TOKEN), 3):
        words = f"{long}\n"
        words += "x" * (SAID - len(words) - 1 - shift) + " " + TOKEN
        context = Context("title", "", (), (words,))
        (request,) = asked(
            sheets(CHANGE, 96_000).parts, Endpoint("https://llm.example/v1", QWEN), "seed", context
        ).requests
        assert "withheld" in request.payload["messages"][1]["content"]
        assert TOKEN[:8] not in request.payload["messages"][1]["content"]


ECHOES = {
    "in the reason": Rule(verdict="abstain", reason=f"my key is {KEY}"),
    "in an error": Rule(body=json.dumps({"error": {"message": f"bad key {KEY}"}})),
    "in a refusal": Rule(refusal=f"not for {KEY}"),
    "as the model": Rule(reports=KEY),
    "with HTTP 401": Rule(status=401, reason=f"bad key {KEY}"),
}


@pytest.mark.parametrize("where", ECHOES)
def test_an_endpoint_that_tells_its_key_writes_it_into_no_record(where: str) -> None:
    """Nothing that is signed, shown or recorded of an answer holds the key; the body alone is kept as it came."""
    verdict = answered(ECHOES[where])
    assert KEY not in str(verdict._replace(answers=()))
    assert verdict.verdict is Word.ABSTAIN


def test_a_wait_that_nobody_believes_is_told_in_short() -> None:
    """A `Retry-After` of a thousand digits ends the review at once and fits into a line."""
    verdict = answered(Rule(status=429, headers=("Retry-After: " + "9" * 1000,)))
    assert "asks to wait 1000000 s" in verdict.why


# -- one model under two names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [f'declared = "{MISTRAL}"', 'maker = "mistral"\nfamily = "mistral"'])
def test_one_model_at_one_address_is_not_two_hands(second: str) -> None:
    """Law 25: settings that call it by two lineages are refused before anybody is asked."""
    tables = "\n".join(
        f'[reviewers.{name}]\nendpoint = "{url}"\nmodel = "prod"\n{more}\n'
        for name, url, more in (
            ("one", "https://llm.example/v1", f'declared = "{QWEN}"'),
            ("two", "https://LLM.example/v1/", second),
        )
    )
    with pytest.raises(Invalid) as error:
        parse(tables, "settings.toml")
    assert "the same model at the same address" in str(error.value)


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_line_made_of_credentials_takes_no_longer_than_others() -> None:
    """20,000 of them in one line are withheld, each, in a moment."""
    tokens = [f"AKIA{sha256(str(number).encode()).hexdigest().translate(LETTERS)[:16]}" for number in range(20_000)]
    started = time.monotonic()
    made = sheets((Diff("a.txt", "", " ".join(tokens)).blobs(),), 96_000)
    assert time.monotonic() - started < 5
    assert made.redactions > 19_000
    shown = "".join(row.text for part in made.parts for leaf in part for row in leaf.rows)
    assert not [token for token in tokens[::100] if token in shown and [*credentials(token.encode())]]


def test_an_answer_of_a_million_marks_is_read_in_a_moment() -> None:
    """However many words an answer repeats, looking for ours takes one look at each."""
    files = (Diff(f"{number}.txt", "", ("x" * 99 + "\n") * 9000).blobs() for number in range(9))
    wide = sheets((*files,), 10_000_000).parts
    (request,) = asked(wide, Endpoint("https://llm.example/v1", QWEN), "seed").requests
    assert len(request.marks) > 1000
    said = {"nonce": request.nonce, "marks": ["x"] * 900_000, "verdict": "approve", "reason": "", "findings": []}
    body = {"choices": [{"message": {"content": json.dumps(said)}, "finish_reason": "stop"}]}
    started = time.monotonic()
    assert read(json.dumps(body).encode(), request).status is Status.TRUNCATED
    assert time.monotonic() - started < 5


def test_the_doctor_tells_of_keys_that_others_may_read(make: Make, tmp_path: Path) -> None:
    """The key of the endpoint as well as the one that signs."""
    secret = tmp_path / "endpoint.key"
    secret.write_text(KEY)
    secret.chmod(0o644)
    bench = make(Table("one", "https://llm.example/v1", QWEN, f'key_file = "{secret}"'))
    assert f"chmod 600 {secret}" in bench.run("doctor").out
    secret.chmod(0o600)
    assert f"chmod 600 {secret}" not in bench.run("doctor").out


# -- an endpoint that speaks no HTTP that anybody means -----------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
RAW = {  # what is sent once, and what is sent again and again behind it
    "endless headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
    "one endless header": (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 65_536),
    "an endless status": (b"HTTP/1.1 200 ", b"a" * 65_536),
    "endless interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}xxx", b""),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n{}", b""),
    "a length beyond counting": (OK + b"Content-Length: 99999999999999999999\r\n\r\n{}", b""),
    "length and chunks": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b""),
    "an endless chunk size": (CHUNKED, b"0" * 65_536),
    "endless small chunks": (CHUNKED, b"1;" + b"e" * 100 + b"\r\n \r\n"),
    "endless trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: b\r\n"),
    "no head at all": (b"{}", b""),
    "another protocol": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", b""),
    "two packings": (OK + b"Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", b""),
    "a packing in transit": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b""),
}


@contextmanager
def raw(first: bytes, again: bytes) -> Iterator[str]:
    """A server that sends these bytes to whoever speaks first, until they hang up."""

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            connection.recv(1 << 20)
            connection.sendall(first)
            while again:
                connection.sendall(again)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("name", RAW)
def test_whatever_bytes_come_there_is_a_verdict_in_time(name: str) -> None:
    """Law 40: no approval, a reason that fits into a line, and the deadline holds."""
    started = time.monotonic()
    with raw(*RAW[name]) as url:
        verdict = ask(endpoint(url, limits=Limits(attempts=1)), deadline=1.5)
    assert time.monotonic() - started < 5
    assert (verdict.status is Status.COMPLETED, verdict.verdict) == (False, Word.ABSTAIN)
    assert 0 < len(verdict.why) < 200


def test_the_environment_gets_no_keys_of_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$SSLKEYLOGFILE, set in an agent's shell, would let it read what reviewers are told."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    assert _trust.__wrapped__().keylog_filename is None


@pytest.mark.parametrize("fmt", ["text", "json", "sarif", "github", "gitlab"])
def test_what_a_model_says_is_tame_everywhere(make: Make, fmt: str) -> None:
    """No credential, no escape sequence, no picture, no mention: not in any format, in the journal or in the signed words."""
    said = f"{TOKEN} \x1b[31m \u202e <img src=x> @team [a](http://evil.example)"
    objecting = Rule(verdict="object", finds="account", reason=said, message=f"{said}\x1b]8;;http://evil.example\x07")
    with ScriptedServer([objecting]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change("account = 1\n", "shop/a.py")
        told = bench.run("review", "--format", fmt)
    assert told.code == (0 if fmt == "sarif" else 1)
    names = bench.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand/reviews").split()
    votes = b"".join(bench.repo.raw("cat-file", "blob", name) for name in names)
    journal = (bench.repo.path / ".git" / "twohand" / "journal.db").read_bytes()
    words = told.out + told.err + votes.decode()
    for wild in (TOKEN, "\x1b", "\u202e", "<img", "@team", "](http", "://evil"):
        assert wild not in words, wild
    assert TOKEN.encode() not in journal
