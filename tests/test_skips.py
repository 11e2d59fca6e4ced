"""`make test` names what it cannot run here and how to get it; `make test-all` fails then."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEST = """import pytest
@pytest.mark.skipif(True, reason="needs java: apt-get install java")
def test_a(): pass
def test_b(): pytest.skip("needs npm")
@pytest.mark.xfail
def test_c(): assert 0
def test_d(): pass
@pytest.fixture
def mount(): pytest.skip("needs mounts")
def test_e(mount): pass
"""
MODULE = "import pytest\npytest.skip('needs a browser', allow_module_level=True)\n"


@pytest.mark.parametrize(
    ("everything", "workers", "said"),
    [("", "0", "1 passed, 4 skipped, 1 xfailed"), ("1", "1", "1 failed, 1 passed, 1 xfailed, 3 errors")],
)
def test_what_is_skipped_fails_where_everything_has_to_run(tmp_path, everything, workers, said):
    """Tests, fixtures and whole modules, with their reasons; an expected failure stays one."""
    (tmp_path / "test_some.py").write_text(TEST)
    (tmp_path / "test_module.py").write_text(MODULE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-rs", "-c", os.devnull, "-n", workers, tmp_path]
    done = subprocess.run(
        [*map(str, command), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"], cwd=ROOT, check=False,
        capture_output=True, text=True, env={**os.environ, "TWOHAND_TEST_EVERYTHING": everything},
    )  # fmt: skip
    assert said in done.stdout, done.stdout
    assert done.returncode == (1 if everything else 0)
    for reason in ("needs java: apt-get install java", "needs npm", "needs mounts", "needs a browser"):
        assert reason in done.stdout


def test_the_targets_ask_for_it():
    """`make test` tells reasons; `make test-all`, which CI runs, takes none."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^test: .*\n\t.* -rs", makefile, re.MULTILINE)
    assert "test-all: export TWOHAND_TEST_EVERYTHING = 1" in makefile
    assert "make test-all" in (ROOT / ".ci/run").read_text("utf-8")
