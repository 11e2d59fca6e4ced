"""One real Apache Kafka node on a free port of loopback (scripts/kafka)."""

import signal
import subprocess
from pathlib import Path
from typing import Self

from kafka import KafkaAdminClient

from streams.engines.kafka.broker.greeting import BrokerUnusable, greet
from streams.settings import Settings
from tests.kafka.processes import ROOT, Server, lacking, needs
from tests.streams.receivers import eventually, free_port

READY = 60  # seconds; 2 on a machine with nothing else to do


class Broker:
    """A node with its data in `folder`. `more` are lines for its properties, where $PORT, $TLS and $CONTROLLER stand for ports; `options` are what an admin client needs then."""

    def __init__(self, folder: Path, more: str = "", **options: object) -> None:
        needs("java")
        fetched = subprocess.run([ROOT / "scripts/kafka", "libs"], capture_output=True, text=True, check=False)
        if fetched.returncode:
            lacking(fetched.stderr.strip())
        self.port, self.tls, controller = free_port(), free_port(), free_port()
        self._ports, self._more = (
            {"$PORT": self.port, "$TLS": self.tls, "$CONTROLLER": controller},
            folder / "more.properties",
        )
        self.bootstrap, self._options = f"127.0.0.1:{self.port}", options
        folder.mkdir(parents=True, exist_ok=True)
        self.more(more)
        command = [ROOT / "scripts/kafka", "run", folder, self.port, controller, self._more]
        self._server = Server([str(part) for part in command], folder / "kafka.log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def more(self, text: str) -> None:
        """Other lines for its properties; they count when it is started again."""
        for name, port in self._ports.items():
            text = text.replace(name, str(port))
        self._more.write_text(text)

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        """Start it, again on the same data, and wait until it answers."""
        self._server.start()
        self._server.until(self.answers, READY)

    def stop(self) -> None:
        self._server.end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._server.end(signal.SIGKILL)

    def answers(self) -> bool:
        """Whether it is a broker that takes requests."""
        try:
            greet(self.bootstrap, Settings(bootstrap=self.bootstrap))
        except BrokerUnusable:
            return False
        return True

    def admin(self, **options: object) -> KafkaAdminClient:
        """An admin client; close it."""
        return KafkaAdminClient(bootstrap_servers=self.bootstrap, **{**self._options, **options})

    def clear(self) -> None:
        """Delete every topic of twohand."""
        admin = self.admin()
        found = [name for name in admin.list_topics() if name.startswith("twohand.")]
        admin.close()
        self.delete(*found)

    def delete(self, *names: str) -> None:
        """Delete these topics, and wait until nobody is told of them any more."""
        admin = self.admin()
        try:
            if names:
                admin.delete_topics(list(names), raise_errors=False)
            eventually(lambda: not {*names} & {*admin.list_topics()})
        finally:
            admin.close()
