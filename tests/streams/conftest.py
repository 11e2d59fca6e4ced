"""What most tests of this directory stand on: keys, a repository with a policy, and a server that enforces one."""

from pathlib import Path

import pytest

from tests.streams.gate import Gate, clean_environment
from tests.streams.keys import make_keys
from tests.streams.served import Served


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of key pairs; nobody writes into it."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    return Gate(tmp_path, keys, capsys)


@pytest.fixture
def served(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    clean_environment(monkeypatch, tmp_path)
    return Served(tmp_path, keys)
