"""Log lines and trace context by themselves: harmless whatever they are about, and dropped where they are malformed."""

import io
import json
import logging
import sys
import threading
import warnings

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import logs
from streams.engines.kafka.records.dead_letters import DeadLetter, bury
from streams.engines.kafka.records.trace import begun, context, id_of, line_of, of_environment, of_line, traced
from streams.engines.kafka.records.wire import Record
from streams.settings import Settings
from streams.sources.errors import SourceError
from tests.kafka.events import NOON, carried, proposed

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = "congo=t61rcWkgMzE,rojo@vendor=00f067aa0ba902b7"
SECRET = "correct horse battery"


@pytest.fixture
def logged():
    """A function that sets logging up for a format and gives the stream; all is as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    for handler in before[0]:
        root.removeHandler(handler)
    stream = io.StringIO()

    def begin(fmt):
        logs.setup(fmt, secrets=[SECRET, "abc"], stream=stream)
        return stream

    yield begin
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, logging.raiseExceptions = before
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def failing(error):
    """The error as it is once it was raised because of another."""

    def read():
        raise ValueError("the content of a file")

    try:
        try:
            read()
        except ValueError as cause:
            raise error from cause
    except type(error) as raised:
        return raised


def test_a_line_of_json_is_one_line(logged):
    """Whatever is in the message: line ends, escapes, directions, secrets, arguments that do not fit."""
    stream = logged(logs.Format.JSON)
    for text, *args in ((f"a\nb\x1b[2J\u202e {SECRET} abc",), ("%d", "x"), ("x" * 9000,)):
        logging.getLogger("aiokafka.client").error(text, *args)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(rows) == 3
    assert rows[0]["message"] == "a\\nb\\x1b[2J\\u{202e} *** abc"
    assert (rows[0]["logger"], rows[0]["level"], rows[1]["message"]) == ("aiokafka.client", "error", "%d")
    assert len(rows[2]["message"]) < 2100


@pytest.mark.parametrize("fmt", logs.Format)
def test_an_error_is_told_without_what_it_quotes(logged, fmt):
    """Type and place of each, and the text only of errors about connections."""
    stream = logged(fmt)
    logging.getLogger("twohand").error("no", exc_info=failing(KeyError("the content of another")))
    logging.getLogger("twohand").error("no", exc_info=failing(ConnectionRefusedError(f"10.0.0.1 {SECRET}")))
    said = stream.getvalue()
    assert "the content of" not in said
    assert SECRET not in said
    assert "KeyError at test_observed_text.py" in said
    assert "ConnectionRefusedError: 10.0.0.1 ***" in said
    assert said.count("ValueError at test_observed_text.py") == 2


def test_what_nobody_caught_is_a_line(logged):
    """Of the process, of a thread, a warning."""
    stream = logged(logs.Format.JSON)
    sys.excepthook(KeyError, failing(KeyError("x")), None)
    thread = threading.Thread(target=lambda: {}["y"])
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row["message"] for row in rows[:2]] == ["an error that nobody caught"] * 2
    assert "old" in rows[2]["message"]


def test_what_ends_a_command_is_a_line_with_its_exit_code(logged):
    """Ours with its remedy, any other with its type; as text it is told as by every command."""
    stream = logged(logs.Format.JSON)

    def ends(error):
        def work():
            raise error

        return work

    assert logs.ending(logs.Format.JSON, ends(SourceError("No broker.", "Start one."))) == 2
    assert logs.ending(logs.Format.JSON, ends(ValueError("content"))) == 1
    assert logs.ending(logs.Format.JSON, lambda: 0) == 0
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert first["message"] == "No broker. Start one."
    assert second["errors"][0]["error"].startswith("ValueError at ")
    with pytest.raises(SourceError):
        logs.ending(logs.Format.TEXT, ends(SourceError("No broker.", "Start one.")))


def test_which_errors_speak_for_themselves():
    """Those of files, connections and the clients; a text that cannot be decoded quotes bytes."""
    assert logs.told(OSError(28, "No space left on device")) == "OSError: [Errno 28] No space left on device"
    assert logs.told(psycopg.OperationalError("the server is gone\n")) == "OperationalError: the server is gone"
    assert logs.told(psycopg.DataError("content")) == "DataError"
    assert logs.told(UnicodeDecodeError("utf-8", b"content", 0, 1, "bad")) == "UnicodeDecodeError"


def test_secrets_of_the_settings_are_known():
    """Passwords of brokers and of the store, as they stand in its address and as they are."""
    settings = Settings(store="postgresql://a:p%40ss@db/x", kafka={"sasl_plain_password": "kafka"})
    assert {"p%40ss", "p@ss", "kafka", "env"} <= set(logs.secrets_of(settings, {"PGPASSWORD": "env"}))


# -- trace context -------------------------------------------------------------------------------------------------


def headers(parent, state=None):
    said = [("ce_id", b"x"), ("traceparent", parent.encode())]
    return said if state is None else [*said, ("tracestate", state.encode())]


def test_a_context_is_taken_as_it_is():
    """Parent and state; one of a later version as ours is written."""
    assert context(headers(GOOD, STATE)) == (("traceparent", GOOD), ("tracestate", STATE))
    assert context(headers(GOOD)) == (("traceparent", GOOD),)
    assert context(headers(f"cc{GOOD[2:]}-more")) == (("traceparent", GOOD),)
    assert id_of(context(headers(GOOD))) == GOOD[3:35]


@pytest.mark.parametrize(
    "parent",
    ["", "x", GOOD.upper(), GOOD + "-x", GOOD + "0", f"ff{GOOD[2:]}", GOOD[:-1], GOOD.replace("-", "_"),
     f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", f" {GOOD}", GOOD + "\n"],
)  # fmt: skip
def test_a_parent_that_is_none_is_dropped(parent):
    """And its state with it."""
    assert context(headers(parent, STATE)) == ()


@pytest.mark.parametrize(
    "state", ["", "a", "=b", "A=b", "a=\x1b[2J", "a=b,a=c", "a=é", "a=b=c", "x" * 600, ",".join(f"k{n}=v" for n in range(33))]
)  # fmt: skip
def test_a_state_that_is_none_is_dropped_alone(state):
    """The trace goes on."""
    assert context(headers(GOOD, state)) == (("traceparent", GOOD),)


def test_said_twice_it_is_none():
    """Nobody can tell which one is meant."""
    assert context([*headers(GOOD), *headers(GOOD)]) == ()
    assert context([*headers(GOOD), ("tracestate", b"a=b"), ("tracestate", b"a=b")]) == (("traceparent", GOOD),)


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.none() | st.binary(max_size=80))))
def test_no_header_is_an_error(said):
    """Whatever it holds; and what is taken is taken again."""
    found = context(said)
    assert context([(name, value.encode()) for name, value in found]) == found
    assert of_line(line_of(found)) == found


def test_ci_gives_a_trace_or_one_is_begun():
    """Two that are begun differ."""
    given = of_environment({"TRACEPARENT": GOOD, "TRACESTATE": STATE})
    assert given == (("traceparent", GOOD), ("tracestate", STATE))
    assert of_line(line_of(given)) == given
    one, other = of_environment({"TRACEPARENT": "nonsense"}), begun()
    assert id_of(one) != id_of(other)
    assert context(headers(dict(one)["traceparent"])) == one


def test_a_dead_letter_keeps_the_headers_that_it_came_with():
    """It may be handed in again, byte for byte."""
    record = carried(proposed(1))
    letter = bury(DeadLetter(record._replace(headers=()), 0, 1, "json", "why", "g", NOON))
    assert traced(letter, GOOD) == letter
    event = Record("twohand.decisions", b"k", b"{}", (("ce_id", b"x"),))
    assert context(traced(event, f"{GOOD} {STATE}").headers) == context(headers(GOOD, STATE))
    assert traced(event, "") == event
