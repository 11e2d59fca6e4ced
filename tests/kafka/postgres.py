"""One real PostgreSQL on a free port of loopback (scripts/postgres)."""

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from tests.kafka.processes import ROOT, Server
from tests.streams.receivers import free_port

NOBODY = 65534  # PostgreSQL refuses to run as root
READY = 60  # seconds; 2 on a machine with nothing else to do


class Postgres:
    """A cluster with the database `twohand`; `url` is what [store] url says. Its folder goes with it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="twohand-pg-"))
        root = os.geteuid() == 0
        if root:
            os.chown(self._folder, NOBODY, NOBODY)
        self.port = free_port()
        self.url = f"postgresql://twohand@127.0.0.1:{self.port}/twohand"
        command = [str(ROOT / "scripts/postgres"), "run", str(self._folder), str(self.port)]
        log = Path(tempfile.mkstemp(prefix="twohand-pg-", suffix=".log")[1])
        self._server = Server(command, log, user=NOBODY if root else None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.end(signal.SIGINT)
        self._server.log.unlink()
        shutil.rmtree(self._folder)

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        """Start it, again on the same data, and wait until it answers."""
        self._server.start()
        self._server.until(self.answers, READY)

    def restart(self) -> None:
        """What runs is broken off, nothing committed is lost."""
        self._server.end(signal.SIGINT)
        self.start()

    def kill(self) -> None:
        """kill -9 of the server; its children notice and end."""
        self._server.end(signal.SIGKILL)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def fresh(self, name: str) -> str:
        """The URL of an empty database of this name."""
        with psycopg.connect(self.url, autocommit=True) as database:
            database.execute(f'drop database if exists "{name}" with (force)')
            database.execute(f'create database "{name}"')
        return f"{self.url.removesuffix('/twohand')}/{name}"
