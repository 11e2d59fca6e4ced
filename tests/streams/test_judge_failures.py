"""Everything that an endpoint can do wrong, over real HTTP: a status, a reason in words, and never an approval (law 40)."""

import asyncio
import json
import resource
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import pytest

from reviewers.judging import Endpoint, Limits, Status, Word
from streams.judges.client import judge
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.judged import KEY, QUESTION, QUICK, answered, ask, endpoint


def wrote(**changed):
    """A valid approval with something changed, as the model's text."""
    valid = {"nonce": "{nonce}", "marks": "{marks}", "verdict": "approve", "reason": "fine", "findings": []}
    return json.dumps({name: value for name, value in {**valid, **changed}.items() if value is not None})


def quoting(**changed):
    """An objection to one line, with something changed."""
    valid = {
        "path": "pay.py", "side": "old", "line": 2, "quote": "    check(user)", "severity": "hold", "message": "gone",
    }  # fmt: skip
    return wrote(verdict="object", findings=[{**valid, **changed}])


def body(**changed):
    """A whole response with something changed."""
    message = {"role": "assistant", "content": wrote()}
    valid = {"model": "qwen3-coder", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return json.dumps({**valid, **changed})


FENCED = "```json\n" + wrote() + "\n```"
INVALID = {
    "empty": (Rule(text=" "), "the answer is empty"),
    "prose": (Rule(text="I am sorry, but I cannot help with that."), "the answer is no JSON"),
    "two objects": (Rule(text=wrote() + wrote()), "the answer is no JSON"),
    "text before JSON": (Rule(text="Here you are: " + wrote()), "the answer is no JSON"),
    "two fences": (Rule(text=FENCED + "\n" + FENCED), "the answer is no JSON"),
    "two verdicts": (Rule(text='{"verdict": "object", ' + wrote()[1:]), "says 'verdict' twice"),
    "unknown verdict word": (Rule(text=wrote(verdict="approved")), "unknown verdict 'approved'"),
    "verdict with a capital": (Rule(text=wrote(verdict="Approve")), "unknown verdict 'Approve'"),
    "verdict as a list": (Rule(text=wrote(verdict=["approve"])), "unknown verdict"),
    "no verdict": (Rule(text=wrote(verdict=None)), "lacks 'verdict'"),
    "extra key": (Rule(text=wrote(waive="secret-added")), "has 'waive', which was not asked for"),
    "findings null": (Rule(text=wrote(findings={})), "findings a list"),
    "marks as text": (Rule(text=wrote(marks="all")), "marks must be a list"),
    "finding without quote": (Rule(text=wrote(findings=[{"path": "pay.py"}])), "finding 1 lacks"),
    "line as text": (Rule(text=quoting(line="2")), "'line' must be a whole number"),
    "line as truth": (Rule(text=quoting(line=True)), "'line' must be a whole number"),
    "unknown severity": (Rule(text=quoting(severity="none")), "'severity' must be one of"),
    "not a number": (Rule(text='{"nonce": NaN}'), "the answer is no JSON"),
    "deep": (Rule(text="[" * 100_000), "the answer is no JSON"),
    "wrong nonce": (Rule(nonce="0123456789ab"), "does not carry the mark of this request"),
    "no nonce": (Rule(text=wrote(nonce="")), "does not carry the mark of this request"),
    "choices null": (Rule(body=body(choices=None)), "no list of choices"),
    "choices empty": (Rule(body=body(choices=[])), "0 choices"),
    "two choices": (Rule(body=body(choices=[1, 2])), "2 choices"),
    "message null": (Rule(body=body(choices=[{"message": None, "finish_reason": "stop"}])), "the message is no"),
    "error with HTTP 200": (Rule(body='{"error": {"message": "out of memory"}}'), "with an error: out of memory"),
    "HTML with HTTP 200": (Rule(body="<html>502</html>", type="text/html"), "the response is no JSON"),
    "no UTF-8": (Rule(body="\udcff\udcfe"), "the response is no UTF-8"),
    "tool call": (
        Rule(body=body(choices=[{"message": {"tool_calls": [{}]}, "finish_reason": "tool_calls"}])),
        "called a tool",
    ),
    "no finish reason": (Rule(body=body(choices=[{"message": {"content": wrote()}}])), "ended with 'None'"),
    "HTTP 204": (Rule(status=204, body=" ", pad=0), "HTTP 204"),
    "compressed": (Rule(headers=("Content-Encoding: gzip",)), "compressed"),
    "100 MB": (Rule(pad=100 << 20), "larger than"),
    "100 MB of an error": (Rule(status=400, pad=100 << 20), "larger than"),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_not_exactly_an_answer_is_invalid(name):
    """Law 40: an answer that was not asked for in this form approves nothing, and the reason says what is wrong."""
    rule, words = INVALID[name]
    verdict = answered(rule)
    assert (verdict.status, verdict.verdict) == (Status.INVALID, Word.ABSTAIN)
    assert words in verdict.why


ENDED = {
    "refusal": (Rule(refusal="I will not review exploits."), Status.REFUSED, "refused: I will not review"),
    "content filter": (Rule(finish="content_filter"), Status.REFUSED, "content filter"),
    "filtered with 400": (
        Rule(status=400, body='{"error": {"message": "no", "code": "content_filter"}}'),
        Status.REFUSED,
        "content filter",
    ),
    "no marks": (Rule(text=wrote(marks=[])), Status.TRUNCATED, "repeats 0 of 2 marks"),
    "marks in another order": (Rule(text=wrote(marks=["ffff", "0000"])), Status.TRUNCATED, "marks"),
    "length": (Rule(finish="length"), Status.TRUNCATED, "cut at the token limit"),
}


@pytest.mark.parametrize("name", ENDED)
def test_an_answer_that_the_model_did_not_finish_approves_nothing(name):
    """Law 40: refused and truncated are statuses, also where a whole approval stands in what came."""
    rule, status, words = ENDED[name]
    verdict = answered(rule)
    assert (verdict.status, verdict.verdict) == (status, Word.ABSTAIN)
    assert words in verdict.why


HTTP = {
    400: (Status.UNREACHABLE, "does not understand", 1),
    401: (Status.UNREACHABLE, "does not accept the key", 1),
    403: (Status.UNREACHABLE, "may not do this", 1),
    404: (Status.UNREACHABLE, "no model 'qwen3-coder'", 1),
    408: (Status.TIMEOUT, "gave up waiting", 2),
    409: (Status.UNREACHABLE, "HTTP 409", 2),
    413: (Status.OVER_BUDGET, "larger than the endpoint takes", 1),
    429: (Status.UNREACHABLE, "too many requests", 2),
    500: (Status.UNREACHABLE, "the endpoint failed", 2),
    503: (Status.UNREACHABLE, "the endpoint failed", 2),
    504: (Status.TIMEOUT, "gave up waiting", 2),
}


@pytest.mark.parametrize("code", HTTP)
def test_an_http_error_is_told_and_retried_where_that_may_help(code):
    """What another attempt may mend gets as many as are allowed; the key is told nowhere."""
    status, words, attempts = HTTP[code]
    verdict = answered(Rule(status=code, reason=f"bad {KEY} https://x.example"))
    assert (verdict.status, verdict.verdict, verdict.attempts) == (status, Word.ABSTAIN, attempts)
    assert words in verdict.why
    assert f"HTTP {code}" in verdict.why
    assert KEY not in repr(verdict)


def test_a_later_attempt_may_succeed():
    """One failure is no verdict while attempts are left."""
    verdict = answered(Rule(status=503, times=1), Rule())
    assert (verdict.verdict, verdict.attempts) == (Word.APPROVE, 2)


def test_retry_after_is_waited_for():
    """An endpoint that asks for a second gets it."""
    began = time.monotonic()
    verdict = answered(Rule(status=429, headers=("Retry-After: 1",), times=1), Rule())
    assert verdict.verdict is Word.APPROVE
    assert 1.0 <= time.monotonic() - began < 30


@pytest.mark.parametrize("asked", ["Retry-After: 3600", "Retry-After: Wed, 21 Oct 2026 08:00:00 GMT"])
def test_retry_after_beyond_the_deadline_ends_the_review_at_once(asked):
    """Nobody waits for what cannot come in time; a date is read against the endpoint's own clock, whatever ours says."""
    began = time.monotonic()
    verdict = answered(Rule(status=429, headers=(asked, "Date: Wed, 21 Oct 2026 07:00:00 GMT")), deadline=120.0)
    assert (verdict.status, verdict.attempts) == (Status.UNREACHABLE, 1)
    assert "asks to wait 3600 s" in verdict.why
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "rule", [Rule(bytes_per_second=20), Rule(delay_ms=60_000), Rule(pad=1 << 30, bytes_per_second=50)]
)
def test_the_deadline_holds_whatever_trickles_in(rule):
    """One deadline around everything: bytes that keep coming do not prolong it."""
    began = time.monotonic()
    verdict = answered(rule, deadline=0.7)
    assert (verdict.status, verdict.verdict) == (Status.TIMEOUT, Word.ABSTAIN)
    assert "no answer within 0.7 seconds" in verdict.why
    assert time.monotonic() - began < 15


BROKEN = {
    "closed in the middle": Rule(cut=40),
    "reset in the middle": Rule(cut=40, reset=True),
    "reset before the first byte": Rule(cut=0, reset=True),
    "broken chunks": Rule(headers=("Transfer-Encoding: chunked",), body="zz\r\nnonsense"),
    "chunks that stop": Rule(headers=("Transfer-Encoding: chunked",), body='5\r\n{"a":\r\n', cut=11),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_connection_that_breaks_is_no_answer(name):
    """Half of an answer is none, however valid its beginning."""
    verdict = answered(BROKEN[name])
    assert (verdict.status, verdict.verdict, verdict.attempts) == (Status.UNREACHABLE, Word.ABSTAIN, 2)
    assert "broke" in verdict.why or "reset" in verdict.why


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(code):
    """The change and the key go to the address that the operator named, and to no other."""
    with ScriptedServer([Rule()]) as other:
        verdict = answered(Rule(status=code, headers=(f"Location: {other.url}/chat/completions",)))
        assert not other.requests
    assert (verdict.status, verdict.verdict) == (Status.UNREACHABLE, Word.ABSTAIN)
    assert "redirects to 127.0.0.1, and nothing follows" in verdict.why


def test_a_name_that_does_not_resolve():
    """The reason names the host."""
    verdict = ask(endpoint("https://llm.invalid/v1"))
    assert (verdict.status, verdict.verdict) == (Status.UNREACHABLE, Word.ABSTAIN)
    assert "llm.invalid does not resolve" in verdict.why


def test_nobody_listens():
    """A port that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        verdict = ask(endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert (verdict.status, verdict.why) == (Status.UNREACHABLE, "nothing listens at this address (2 attempts)")


def test_a_certificate_that_nobody_vouches_for(tmp_path):
    """TLS is checked, and there is no way to turn that off."""
    pem = tmp_path / "self.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
    ]
    subprocess.run([*made, "-keyout", pem, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", pem)
    with ScriptedServer([Rule()], tls=context) as server:
        verdict = ask(endpoint(server.url))
        assert not server.requests
    assert (verdict.status, verdict.verdict) == (Status.UNREACHABLE, Word.ABSTAIN)
    assert "TLS: the certificate is not trusted" in verdict.why


class Plain(socketserver.BaseRequestHandler):
    """Answers whatever comes with plain text, as an HTTP server does to a TLS greeting."""

    def handle(self):
        self.request.recv(10)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_tls_with_somebody_who_speaks_none():
    """https:// at a port that speaks plain HTTP."""
    with socketserver.TCPServer(("127.0.0.1", 0), Plain) as server:
        threading.Thread(target=server.serve_forever).start()
        verdict = ask(endpoint(f"https://127.0.0.1:{server.server_address[1]}/v1"))
        server.shutdown()
    assert verdict.status is Status.UNREACHABLE
    assert "TLS" in verdict.why


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://llm.example/v1", "plain http:// leaves this machine"),
        ("https://me:secret@llm.example/v1", "user name or password"),
        ("ftp://llm.example/v1", "must begin with https://"),
        ("https://llm.example:port/v1", "no URL"),
        ("llm.example", "must begin with https://"),
    ],
)
def test_an_address_that_nothing_is_sent_to(url, words):
    """Before a byte leaves."""
    verdict = ask(Endpoint(url, "qwen3-coder", key=KEY))
    assert (verdict.status, verdict.verdict, verdict.attempts) == (Status.UNREACHABLE, Word.ABSTAIN, 0)
    assert words in verdict.why
    assert "secret" not in verdict.why


def test_a_large_answer_does_not_fill_the_memory():
    """Reading stops at the limit: 100 MB cost next to nothing."""
    answered(Rule())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdict = answered(Rule(pad=100 << 20))
    assert verdict.status is Status.INVALID
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


@pytest.mark.parametrize("reported", ["gpt-5.2", "qwen3-max", "openrouter/auto"])
def test_another_model_than_declared_has_no_vote(reported):
    """Law 22: declared against reported; the mismatch is said, and the approval is gone."""
    verdict = answered(Rule(reports=reported))
    assert (verdict.status, verdict.verdict, verdict.reported_model) == (Status.COMPLETED, Word.ABSTAIN, reported)
    assert verdict.mismatch == f"qwen3-coder was declared, {reported} answered"
    assert verdict.mismatch in verdict.why


def test_a_model_that_is_called_by_its_date_is_the_same():
    """Hosts and dates in a name make no other model."""
    assert answered(Rule(reports="qwen/qwen3-coder-2025-07-22")).verdict is Word.APPROVE


def test_two_models_in_one_review_are_none():
    """Parts that different models answered are a mismatch, even where each approves."""
    with ScriptedServer([Rule(times=1), Rule(reports="qwen3-max")]) as server:
        verdict = ask(endpoint(server.url, limits=Limits(part=40)))
    assert verdict.verdict is Word.ABSTAIN
    assert "several models" in verdict.mismatch


@pytest.mark.parametrize("jump", [-86_400.0 * 400, 86_400.0 * 400])
def test_a_clock_that_jumps_changes_nothing(jump, monkeypatch):
    """Deadlines and pauses are measured by what cannot be set."""
    real = time.time
    with ScriptedServer([Rule(delay_ms=300)]) as server:
        where = endpoint(server.url)

        async def jumping():
            task = asyncio.create_task(judge(QUESTION, where, deadline_seconds=10))
            await asyncio.sleep(0.2)
            monkeypatch.setattr(time, "time", lambda: real() + jump)
            return await task

        verdict = asyncio.run(jumping())
    assert (verdict.status, verdict.verdict) == (Status.COMPLETED, Word.APPROVE)


DROPPED = {
    "quote not in the diff": (quoting(quote="    audit(user)"), "does not read like its quote"),
    "line is another": (quoting(line=3), "does not read like its quote"),
    "side is the other": (quoting(side="new"), "does not read like its quote"),
    "no quote": (quoting(quote=""), "does not read like its quote"),
    "path outside of the diff": (quoting(path="auth.py"), "no such file"),
    "path that climbs": (quoting(path="../pay.py"), "no such file"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_finding_that_quotes_nothing_is_dropped_and_counted(name):
    """What is not there is no finding; an approval beside one stands no longer."""
    text, words = DROPPED[name]
    verdict = answered(Rule(text=text))
    assert (verdict.status, verdict.verdict, verdict.findings) == (Status.COMPLETED, Word.ABSTAIN, ())
    assert [words in dropped.why for dropped in verdict.dropped] == [True]
    approving = answered(Rule(text=text.replace('"object"', '"approve"')))
    assert (approving.verdict, len(approving.dropped)) == (Word.ABSTAIN, 1)


def test_an_approval_that_finds_something_grave_is_none():
    """What must be mended first is not approved, whatever the verdict says."""
    verdict = answered(Rule(text=quoting().replace('"object"', '"approve"')))
    assert verdict.verdict is Word.ABSTAIN
    assert len(verdict.findings) == 1


@pytest.mark.parametrize("text", [FENCED, "```\n" + wrote() + "\n```", "<think>Should I? Yes.</think>\n" + wrote()])
def test_wrapping_that_servers_without_structured_output_add_is_taken_off(text):
    """One fence around all of it, or thoughts before it, in every mode alike."""
    assert answered(Rule(text=text)).verdict is Word.APPROVE


def test_an_endpoint_that_keeps_failing_is_left_alone():
    """After five failures in a row the breaker opens: no request is sent, and the reason says so."""
    with ScriptedServer([Rule(status=500)]) as server:
        where = endpoint(server.url, limits=QUICK._replace(attempts=1))

        async def often():
            from streams.judges.lines import Lines

            async with Lines() as lines:
                return [await judge(QUESTION, where, deadline_seconds=5, lines=lines) for _ in range(7)]

        verdicts = asyncio.run(often())
        assert len(server.requests) == 5
    assert verdicts[-1].status is Status.UNREACHABLE
    assert "not asked: 5 requests in a row failed" in verdicts[-1].why
