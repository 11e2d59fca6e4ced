"""Keys and a furnished repository, made once for all acceptance tests."""

from pathlib import Path

import pytest

from tests.acceptance.stage import Keys, Stage


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.made(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """The repository that every case begins with, made once."""
    directory = tmp_path_factory.mktemp("template")
    return Stage(directory, keys).furnish().repo.path
