"""`[kafka]` and `[store]`: what cannot work is said before any client is asked; `doctor` looks at what can."""

import subprocess
import sys

import pytest

from streams import settings
from streams.doctor import Scene
from streams.doctor_kafka import kafka
from streams.settings import Settings, SettingsInvalid
from tests.kafka.commands import run
from tests.streams.receivers import free_port

pytestmark = pytest.mark.xdist_group("kafka")
SASL = "[kafka]\nsecurity_protocol = 'SASL_SSL'\n"
MISTAKES = [
    (SASL, 1, "kafka.sasl_mechanism", "is missing: security_protocol uses SASL"),
    (f"{SASL}sasl_mechanism = 'OAUTH'", 3, "kafka.sasl_mechanism", "allowed: PLAIN, SCRAM-SHA-256"),
    (f"{SASL}sasl_mechanism = 'PLAIN'\nsasl_plain_username = 'a'", 1, "kafka.sasl_plain_password", "PLAIN needs it"),
    ("[kafka]\nsasl_plain_username = 'a'", 2, "kafka.sasl_plain_username", "uses no SASL"),
    ("[kafka]\nssl_cafile = '/a.pem'", 2, "kafka.ssl_cafile", "uses no TLS"),
    ("[store]\nurl = 'mysql://a/b'", 2, "store.url", "must begin with postgresql://"),
]


@pytest.mark.parametrize(("text", "line", "where", "said"), MISTAKES)
def test_what_cannot_work_is_named(text, line, where, said):
    """With file, line, key and what is allowed."""
    with pytest.raises(SettingsInvalid) as caught:
        settings.parse(text, "settings.toml")
    first = caught.value.problems[0]
    assert (first.line, first.key) == (line, where)
    assert said in str(caught.value)


def test_a_password_is_never_shown():
    """Also where its line is wrong."""
    with pytest.raises(SettingsInvalid) as caught:
        settings.parse("[kafka]\nsasl_plain_password = 'hunter2'", "settings.toml")
    assert "hunter2" not in str(caught.value)


def looked(**said):
    """What doctor finds: (name, state) to what it says and the remedy."""
    scene = Scene(repo=None, settings=Settings(source="settings.toml", **said), policies=())
    return {(check.name, check.state): f"{check.said}: {check.remedy}" for check in kafka(scene)}


def test_the_journal_needs_no_broker():
    """Nothing is asked where the engine is the journal."""
    assert looked() == {}


def test_doctor_finds_what_is_missing(broker, postgres, tmp_path):
    """Topics first, then all is well."""
    broker.clear()
    found = looked(engine="kafka", bootstrap=broker.bootstrap, store=postgres.url)
    assert "is not there" in found["kafka", "fail"]
    path = tmp_path / "settings.toml"
    path.write_text(
        f'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\nbootstrap = "{broker.bootstrap}"\n'
    )
    run("topics", "create", "--settings", path)
    found = looked(engine="kafka", bootstrap=broker.bootstrap, store=postgres.url)
    assert found["kafka", "ok"] == f"{broker.bootstrap} has all 6 topics, 8 partitions each: "
    assert found["case store", "ok"].startswith("PostgreSQL ")
    assert len(found) == 2
    broker.clear()


def test_doctor_says_what_does_not_answer():
    """A broker and a store that are away, each with its remedy."""
    port = free_port()
    found = looked(engine="kafka", bootstrap=f"127.0.0.1:{port}", store=f"postgresql://a:hunter2@127.0.0.1:{port}/b")
    assert found["kafka", "fail"].startswith(f"No broker answers at 127.0.0.1:{port}: Connection refused")
    assert found["case store", "fail"] == (
        f"cannot be reached at 127.0.0.1:{port}: Connection refused: "
        "Start PostgreSQL (`make store` for a trial), or correct [store] url in settings.toml."
    )
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("package", "command"), [("kafka", "topics check"), ("zstandard", "relay"), ("psycopg", "store check")]
)
def test_a_package_that_is_missing_is_one_sentence(package, command, broker, postgres, tmp_path):
    """With the command that installs it; no traceback."""
    path = tmp_path / "settings.toml"
    path.write_text(f'engine = "kafka"\n[kafka]\nbootstrap = "{broker.bootstrap}"\n[store]\nurl = "{postgres.url}"\n')
    words = [*command.split(), "--settings", str(path)]
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from streams.commands.app import run; sys.exit(run({words!r}))"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[0] == f"error: Package {package} is not installed."
    assert "pip install '.[kafka]'" in done.stderr
