"""Where an installed hook begins: whatever ends it, only its own answer 0 lets a push through."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.hooks.entry import INTERNAL

ROOT = Path(__file__).parents[2]
START = """import sys
sys.path[:0] = {paths!r}
from streams.hooks import entry
entry.HOOKS["pre-receive"] = "ending"
entry.main()
"""


def ended(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """The hook `pre-receive`, whose module has this `run`."""
    (folder / "ending.py").write_text(f"def run(called):\n    {body}\n")
    start = START.format(paths=[str(ROOT), str(folder)])
    command = [sys.executable, "-I", "-c", start, "pre-receive", ""]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "body", ["raise SystemExit(0)", "raise SystemExit", "raise KeyboardInterrupt", "1 / 0", "import nowhere"]
)
def test_whatever_ends_a_hook_refuses(tmp_path: Path, body: str) -> None:
    """Law 40: also an exit that says 0, which somebody's code asked for."""
    done = ended(tmp_path, body)
    assert done.returncode == INTERNAL
    assert done.stderr.startswith("error: twohand cannot run here: ")


@pytest.mark.parametrize("code", [0, 1])
def test_its_own_answer_is_the_answer(tmp_path: Path, code: int) -> None:
    """What the hook decided is what git hears."""
    assert ended(tmp_path, f"return {code}").returncode == code
