"""Who may write what: roles on a broker that authorizes, with credentials of their own (law 19)."""

import time

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from streams.engines.kafka.broker.acls import PRINCIPALS, command, grants
from streams.engines.kafka.records.topics import ROLES, TOPICS, group
from tests.gitrepo import Repo
from tests.kafka.broker import Broker
from tests.kafka.commands import run
from tests.streams.receivers import certificate

pytestmark = pytest.mark.xdist_group("kafka")
USERS = ["admin", "ci", *(principal.removeprefix("User:") for principal in PRINCIPALS.values())]
AUTHORIZING = f"""
listeners=CLIENT://127.0.0.1:$PORT,SECURE://localhost:$TLS,CONTROLLER://127.0.0.1:$CONTROLLER
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,SECURE:SSL,CONTROLLER:PLAINTEXT
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=$PEM
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="admin" password="admin" {" ".join(f'user_{name}="{name}"' for name in USERS)};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
"""


def credentials(user, password=None):
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": user,
        "sasl_plain_password": password or user,
    }


class Guarded:
    """The broker, and settings that name it for a user."""

    def __init__(self, broker, folder):
        self.broker, self.folder = broker, folder

    def settings(self, user, **other):
        said = {"bootstrap": self.broker.bootstrap, **credentials(user), **other}
        path = self.folder / f"{user}.toml"
        path.write_text(
            'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\n'
            + "".join(f'{name} = "{value}"\n' for name, value in said.items())
        )
        return path

    def writes(self, role, topic):
        """Whether the role's credentials can write to the topic."""
        producer = KafkaProducer(
            bootstrap_servers=self.broker.bootstrap,
            max_block_ms=5000,
            enable_idempotence=False,
            **credentials(f"twohand-{role}"),
        )
        try:
            producer.send(topic, b"forged", key=b"key").get(10)
        except TopicAuthorizationFailedError:
            return False
        finally:
            producer.close()
        return True

    def reads(self, role, topic, joining=None, *, patience=1.5):
        """Whether the role's credentials get a record of the topic, as a member of a group or alone."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker.bootstrap, group_id=joining, auto_offset_reset="earliest",
            enable_auto_commit=False, **credentials(f"twohand-{role}")
        )  # fmt: skip
        end = time.monotonic() + patience
        try:
            consumer.assign([TopicPartition(topic, 0)])
            if joining:
                consumer.committed(TopicPartition(topic, 0))
            while time.monotonic() < end:
                if consumer.poll(200):
                    return True
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
            return False
        finally:
            consumer.close()
        return False

    def seeded(self):
        """One record in every topic."""
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, **credentials("admin"))
        for topic in TOPICS:
            producer.send(topic.name, b"value", key=b"key").get(10)
        producer.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A broker that authorizes, with our topics, and the rights of every role granted by our own command."""
    folder = tmp_path_factory.mktemp("guarded")
    pem = certificate(folder)
    with Broker(folder, AUTHORIZING.replace("$PEM", str(pem)), **credentials("admin")) as broker:
        one = Guarded(broker, folder)
        made = run("topics", "create", "--partitions", "1", "--settings", one.settings("admin"))
        assert made.code == 0, made.err
        granted = run("topics", "acls", "--apply", "--settings", one.settings("admin"))
        assert granted == (0, f"{len(grants())} rights granted. Nothing was taken away.\n", "")
        one.seeded()
        yield one


@pytest.mark.parametrize("role", PRINCIPALS)
def test_each_role_writes_its_topics_and_no_other(guarded, role):
    """A reviewer's credentials cannot write a decision, nor any role another's topic."""
    assert {topic.name for topic in TOPICS if guarded.writes(role, topic.name)} == {
        topic.name for topic in TOPICS if role in topic.writers
    }


@pytest.mark.parametrize("role", PRINCIPALS)
def test_each_role_reads_what_it_needs(guarded, role):
    """Topics of the table, and groups that begin with its own name."""
    readable = [topic.name for topic in TOPICS if role in topic.readers]
    hidden = [topic.name for topic in TOPICS if role not in topic.readers]
    assert [name for name in readable if guarded.reads(role, name, patience=15)] == readable
    assert not [name for name in hidden if guarded.reads(role, name)]
    joins = next(row.joins for row in ROLES if row.name == role)
    assert not joins or readable
    readable = readable or hidden
    assert guarded.reads(role, readable[0], group(role, "one"), patience=15 if joins else 1.5) == joins
    assert not guarded.reads(role, readable[0], "somebody-else")


@pytest.fixture(scope="module")
def change(guarded, tmp_path_factory):
    """A repository with a change."""
    repo = Repo(tmp_path_factory.mktemp("change") / "repo")
    repo.write("twohand.toml", 'version = 1\n[[requirement]]\nname = "a hand"\nfrom = ["human"]\n')
    repo.commit("Start")
    repo.branch("feature")
    repo.write("greet.py", "print(2)\n")
    repo.commit("Greet")
    return ("-C", repo.path, "--head", "feature")


def test_ci_needs_two_roles_and_no_more(guarded, change):
    """`gate` is content with `source`; `submit` says what it lacks without `gateway`, which carries statements and reviews."""
    source = guarded.settings("twohand-source")
    alone = run("submit", *change, "--settings", source)
    assert alone.code == 3
    assert alone.err.startswith("error: Recorded, not yet carried. twohand-source may not do that: ")
    assert "twohand.reviews" in alone.err
    assert "`twohand topics acls` prints what each role needs" in alone.err
    both = ("--principal", "source=User:ci", "--principal", "gateway=User:ci")
    assert run("topics", "acls", *both, "--apply", "--settings", guarded.settings("admin")).code == 0
    ci = guarded.settings("ci")
    submitted = run("submit", *change, "--settings", ci)
    assert submitted.code == 0, submitted.err
    for settings in (source, ci):
        waited = run("gate", *change, "--settings", settings, "--timeout", "1s")
        assert waited.code == 5, waited.err
        assert "nobody has judged yet; awaited: rules, the decider" in waited.err


@pytest.mark.parametrize(
    ("user", "words", "told"),
    [
        ("twohand-gateway", ("gate", "--timeout", "9s"), "shows no topic twohand.dead-letters"),
        ("twohand-source", ("dead-letters", "retry", "x"), "is no open dead letter"),
        ("twohand-gateway", ("dead-letters", "list"), "twohand.dead-letters"),
    ],
)
def test_a_right_that_is_missing_is_one_sentence(guarded, change, user, words, told):
    """Who may not, what they may not, and where the rights stand."""
    where = change if words[0] == "gate" else ()
    done = run(*words, *where, "--settings", guarded.settings(user))
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") - done.err.count("twohand gate:") == 2


@pytest.mark.parametrize(
    "words", [("gate", "--timeout", "9s"), ("dead-letters", "list"), ("topics", "check"), ("submit",)]
)
def test_credentials_that_are_refused_are_one_sentence(guarded, change, words):
    """Whichever command asks; what was submitted is recorded all the same."""
    where = change if words[0] in ("gate", "submit") else ()
    settings = guarded.settings("twohand-source", sasl_plain_password="wrong-secret")
    done = run(*words, *where, "--settings", settings)
    assert done.code == (3 if words[0] == "submit" else 2)
    assert f"{guarded.broker.bootstrap} refuses twohand-source with SASL PLAIN" in done.err
    assert "wrong-secret" not in done.err
    assert done.err.count("\n") == 2


def test_wrong_credentials_are_one_sentence(guarded):
    """The user is named; the password is not."""
    done = run("topics", "check", "--settings", guarded.settings("admin", sasl_plain_password="wrong-secret"))
    assert done.code == 2
    assert done.err.startswith(f"error: {guarded.broker.bootstrap} refuses admin with SASL PLAIN.\nhint: Correct sasl_")
    assert "wrong-secret" not in done.err
    assert done.err.count("\n") == 2


def test_a_mechanism_that_is_not_offered_is_one_sentence(guarded):
    """What was asked for is named."""
    done = run("topics", "check", "--settings", guarded.settings("admin", sasl_mechanism="SCRAM-SHA-512"))
    assert done.code == 2
    assert "does not offer SASL mechanism SCRAM-SHA-512" in done.err


def test_no_credentials_are_one_sentence(guarded, tmp_path):
    """A broker that wants some just ends the connection: the sentence says so."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\nbootstrap = "{guarded.broker.bootstrap}"\n'
    )
    done = run("topics", "check", "--settings", path)
    assert done.code == 2
    assert "ends connections without credentials" in done.err
    assert "Set security_protocol and sasl_mechanism" in done.err


def secured(guarded, folder, **other):
    said = {"bootstrap": f"localhost:{guarded.broker.tls}", "security_protocol": "SSL", **other}
    path = folder / "settings.toml"
    path.write_text(
        'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\n'
        + "".join(f'{name} = "{value}"\n' for name, value in said.items())
    )
    return run("topics", "check", "--settings", path)


def test_tls_is_spoken(guarded, tmp_path):
    """With the authority that signed the broker's certificate, all is as without TLS."""
    pem = guarded.folder / "localhost.pem"
    assert secured(guarded, tmp_path, ssl_cafile=pem) == (0, "All topics are as they should be.\n", "")


def test_wrong_tls_is_one_sentence(guarded, tmp_path):
    """An unknown authority, another name, a missing file, no TLS where some is spoken, some where none is."""
    said = {
        "is not accepted: self-signed certificate.": secured(guarded, tmp_path),
        "is not accepted: IP address mismatch": secured(
            guarded, tmp_path, ssl_cafile=guarded.folder / "localhost.pem", bootstrap=f"127.0.0.1:{guarded.broker.tls}"
        ),
        "The files of TLS cannot be used (ssl_cafile /nowhere.pem): No such file or directory.": secured(
            guarded, tmp_path, ssl_cafile="/nowhere.pem"
        ),
        "speaks TLS, and [kafka] security_protocol is PLAINTEXT.": secured(
            guarded, tmp_path, security_protocol="PLAINTEXT"
        ),
        "does not speak TLS, and [kafka] security_protocol is SSL.": secured(
            guarded, tmp_path, bootstrap=guarded.broker.bootstrap
        ),
    }
    assert {text: done for text, done in said.items() if text not in done.err or done.code != 2} == {}
    assert all(done.err.count("\n") == 2 for done in said.values())


def test_what_credentials_may_not_do_is_one_sentence(guarded):
    """A viewer makes no topics and grants no rights."""
    viewer = guarded.settings("twohand-viewer")
    guarded.broker.delete("twohand.trust")
    try:
        made = run("topics", "create", "--settings", viewer)
        assert made.code == 2
        assert "twohand-viewer may not do that" in made.err
        granted = run("topics", "acls", "--apply", "--settings", viewer)
        assert granted.code == 2
        assert "The broker grants nothing: ClusterAuthorizationFailedError" in granted.err
    finally:
        run("topics", "create", "--settings", guarded.settings("admin"))


def test_rights_are_printed_as_commands():
    """What Kafka's own tool takes; a group's name is a prefix."""
    said = [command(grant, "b:9092") for grant in grants({"decider": "User:CN=decider,O=Shop Ltd"})]
    begins = "kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:CN=decider,O=Shop Ltd' --operation "
    assert said[-2] == f"{begins}Write --topic twohand.dead-letters"
    assert said[-1] == f"{begins}Read --group twohand-decider --resource-pattern-type prefixed"
    assert not [line for line in said if "Write" in line and "twohand.reviews" in line]


def test_a_role_that_is_none_is_named(tmp_path):
    """The roles that there are stand in the hint."""
    path = tmp_path / "settings.toml"
    path.write_text('engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n')
    done = run("topics", "acls", "--principal", "judge=User:x", "--settings", path)
    assert done.code == 2
    assert done.err.startswith("error: --principal judge=User:x is no role and principal.\nhint: Write it as")
    assert run("topics", "acls", "--principal", "relay=User:x", "--settings", path).out.count("User:x") == 8


def test_a_client_error_is_a_kafka_error():
    """What the tests above take for a refusal is the broker's own word."""
    assert issubclass(TopicAuthorizationFailedError, KafkaError)
