"""Where a result goes: any encoding, any bytes, a file or a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.commands.options import Format
from streams.sinks.render import write
from tests.decisions import author, decision

ODD = decision(authors=[author("Zo\xeb \udcff 😀")])
PRINT = """
from streams.sinks.render import write
from tests.streams.test_render_write import ODD, Format
write.result(ODD, Format({!r}), output=None, quiet=False, verbose=False)
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
def test_json_is_json_in_any_encoding(encoding: str, form: str) -> None:
    """Bytes that are no text and letters that a terminal lacks are escaped as JSON escapes them."""
    told = json.loads(printed(form, encoding).decode(encoding))
    names = json.dumps(told)
    assert form == "sarif" or told["authors"][0]["name"] == ODD["authors"][0]["name"]
    assert "owner.required" in names


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_text_never_fails_for_a_letter(encoding: str) -> None:
    """What an encoding cannot say is written as an escape."""
    assert b"escalated  feature" in printed("text", encoding)


def printed(form: str, encoding: str) -> bytes:
    code = PRINT.format(form)
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout


def test_a_file_holds_utf8_without_colour(tmp_path: Path) -> None:
    """--output is for machines and for later."""
    file = tmp_path / "out"
    write.result(ODD, Format.TEXT, output=file, quiet=False, verbose=False)
    text = file.read_text("utf-8")
    assert "Zoë \\u{dcff} 😀" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_never_forced_on_anybody(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and a dumb terminal are respected; a pipe has none."""
    assert not write.wants_colour()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert write.wants_colour()
    monkeypatch.setenv(name, value)
    assert not write.wants_colour()
