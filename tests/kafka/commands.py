"""twohand's command line as tests of the Kafka engine run it, in this process."""

import contextlib
import io
from typing import NamedTuple

from streams.commands.app import run as _run


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*words) -> Done:
    """Run a command as `twohand WORDS` does."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = _run([str(word) for word in words])
    return Done(code, out.getvalue(), err.getvalue())
