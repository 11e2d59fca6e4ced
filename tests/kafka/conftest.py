"""A broker and a database for all tests of a session; each ends with it."""

import pytest

from tests.kafka.broker import Broker
from tests.kafka.postgres import Postgres


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """A real Kafka node. Topics are the test's own business: `broker.clear()` takes them away."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL; `postgres.fresh(name)` is an empty database."""
    with Postgres() as running:
        yield running
