"""`twohand model-server` and its script: a stand-in that says what it was told, over real HTTP."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from reviewers.judging import Status, Word
from streams.commands.app import run
from streams.judges.script import ANSWER, Rule, ScriptInvalid, parse
from streams.judges.server import ScriptedServer
from tests.streams.judged import ask, endpoint

SCRIPT = """
[[answer]]
model = "qwen3-coder"
finds = "check"
verdict = "object"
message = "the check is gone"

[[answer]]
"""


def test_a_script_is_rules_in_order():
    """The first that fits speaks; what a rule does not say is an approval."""
    first, second = parse(SCRIPT, "a.toml")
    assert (first.finds, first.verdict, first.message) == ("check", "object", "the check is gone")
    assert second == Rule()


def test_every_key_is_documented_and_every_default_is_the_rules():
    """The table of keys and the rule are one."""
    assert tuple(ANSWER.entries) == Rule._fields
    assert parse("[[answer]]", "a.toml") == (Rule(),)
    assert all(entry.doc for entry in ANSWER.entries.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "answer"),
        ("[[answer]]\nverdikt = 1", "a.toml:2: answer[0].verdikt: is no known key"),
        ("[[answer]]\nverdict = 'yes'", "a.toml:2: answer[0].verdict"),
        ("[[answer]]\nheaders = ['Retry-After 2']", "Retry-After: 2"),
        ("[[answer", "a.toml:1: is no TOML"),
    ],
)
def test_a_wrong_script_says_where_and_what_is_allowed(text, words):
    """File, line, key and the allowed values."""
    with pytest.raises(ScriptInvalid) as caught:
        parse(text, "a.toml")
    assert words in str(caught.value)


def test_the_command_serves_until_it_is_ended(tmp_path):
    """The address is the first line; what was asked and answered is told beside it; Ctrl-C ends it with success."""
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    arguments = [sys.executable, "-m", "streams.cli", "model-server", "--script", str(script)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        url = process.stdout.readline().strip()
        verdict = ask(endpoint(url))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert (verdict.status, verdict.verdict) == (Status.COMPLETED, Word.OBJECT)
    assert [finding.message for finding in verdict.findings] == ["the check is gone"]
    assert "'qwen3-coder': object" in told
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--script", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--script", "nowhere.toml", "--listen", "0.0.0.0:80"], "must be 127.0.0.1:PORT"),
        (["--script", "nowhere.toml", "--listen", "127.0.0.1:99999"], "must be 127.0.0.1:PORT"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_remedy(arguments, words, capsys):
    """Exit code 2, what is wrong, and what to do."""
    assert run(["model-server", *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "hint:" in told


def test_a_port_that_is_taken(tmp_path, capsys):
    """Says so instead of a traceback."""
    script = tmp_path / "script.toml"
    script.write_text("[[answer]]")
    with ScriptedServer([Rule()]) as server:
        port = server.url.split(":")[2].split("/")[0]
        assert run(["model-server", "--script", str(script), "--listen", f"127.0.0.1:{port}"]) == 2
    assert "Cannot listen" in capsys.readouterr().err


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def test_anybody_may_ask():
    """Plain clients get an answer of the usual form; what is no request, or fits no rule, an error."""
    with ScriptedServer([Rule(model="a", text="hello {nonce}")]) as server:
        said = post(f"{server.url}/chat/completions", {"model": "a", "messages": [{"role": "user", "content": "hi"}]})
        assert said["choices"][0]["message"]["content"] == "hello "
        for body, code in (({"model": "b", "messages": []}, 404), ({"model": "a"}, 400), ([], 400)):
            with pytest.raises(HTTPError) as caught:
                post(f"{server.url}/chat/completions", body)
            assert caught.value.code == code
            caught.value.close()
        with urllib.request.urlopen(f"{server.url}/models") as response:
            assert json.load(response)["data"] == []
        assert [request.method for request in server.requests] == ["POST"] * 4 + ["GET"]


def test_rules_are_used_up():
    """`times` counts, and the rules below speak then."""
    with ScriptedServer([Rule(times=2, verdict="abstain"), Rule()]) as server:
        assert [ask(endpoint(server.url)).verdict for _ in range(3)] == ["abstain", "abstain", "approve"]


def test_the_page_lists_every_key():
    """docs/judges.md has a row of each, with what it means."""
    page = (Path(__file__).parents[2] / "docs" / "judges.md").read_text("utf-8")
    for name, entry in ANSWER.entries.items():
        assert any(row.startswith(f"| `{name}` |") and entry.doc in row for row in page.split("\n"))
