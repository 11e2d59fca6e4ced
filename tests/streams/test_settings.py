"""The operator's settings (DESIGN 5.2)."""

from pathlib import Path

import jsonschema
import pytest

from streams import settings, settings_file
from streams.settings import Alert, Settings, SettingsInvalid
from streams.settings_reviewers import Reviewer

FULL = """\
engine = "kafka"
[kafka]
bootstrap = "127.0.0.1:9092, broker.internal:9093"
security_protocol = "SASL_SSL"
sasl_mechanism = "SCRAM-SHA-512"
sasl_plain_username = "twohand"
sasl_plain_password = "x"
ssl_cafile = "/etc/ssl/ca.pem"
[store]
url = "postgresql://127.0.0.1/twohand"
[reviewers.second-hand]
endpoint = "https://llm.internal/v1"
model = "qwen3-coder"
maker = "alibaba"
family = "qwen"
key_env = "SECOND_HAND_KEY"
fallback = ["third-hand"]
[reviewers.third-hand]
endpoint = "http://127.0.0.1:8000/v1"
model = "devstral"
timeout = "30s"
[alerts.oncall]
kind = "pagerduty"
url = "https://events.pagerduty.com/v2/enqueue"
key_env = "PAGERDUTY_KEY"
[alerts.owners]
kind = "email"
url = "smtp://127.0.0.1:25"
from = "twohand@example.com"
to = ["security@example.com"]
[alerts.chat]
kind = "slack"
url_env = "SLACK_URL"
[alerts.watch]
kind = "alertmanager"
url = "http://127.0.0.1:9093"
[serve]
listen = "[::1]:8460"
[identity]
trust = ["gitlab", "certificate"]
[floor]
policy = "/etc/twohand/policy.toml"
"""


def test_every_setting_arrives():
    """The block of DESIGN 5.2, with names of kafka-python passed on."""
    found = settings.parse(FULL, "settings.toml")
    assert (found.engine, found.store, found.listen) == ("kafka", "postgresql://127.0.0.1/twohand", "[::1]:8460")
    assert found.bootstrap == "127.0.0.1:9092,broker.internal:9093"
    assert found.kafka == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "twohand",
        "sasl_plain_password": "x",
        "ssl_cafile": "/etc/ssl/ca.pem",
        "ssl_check_hostname": True,
    }
    assert found.reviewers["second-hand"] == Reviewer(
        "second-hand",
        "https://llm.internal/v1",
        "qwen3-coder",
        "alibaba",
        "qwen",
        "SECOND_HAND_KEY",
        ("third-hand",),
        120,
    )
    assert found.reviewers["third-hand"].timeout == 30
    assert found.alerts["owners"] == Alert(
        "owners", "email", "smtp://127.0.0.1:25", sender="twohand@example.com", to=("security@example.com",)
    )
    assert (found.trust, found.floor) == (("gitlab", "certificate"), "/etc/twohand/policy.toml")
    assert found.source == "settings.toml"


def test_an_empty_file_is_the_defaults():
    """Every key has one; only the source differs from no file at all."""
    empty = settings.parse("", "x")
    assert empty == Settings(kafka=empty.kafka, source="x")
    assert empty.kafka == {"security_protocol": "PLAINTEXT", "ssl_check_hostname": True}


MISTAKES = [
    ("engin = 'kafka'", 1, "engin", 'did you mean "engine"?'),
    ("engine = 'redis'", 1, "engine", "allowed: journal, kafka"),
    ("kafka = 'x'", 1, "kafka", "must be a table"),
    ("[kafka]\nbootstrap = 'localhost'", 2, "kafka.bootstrap", "host:port"),
    ("[kafka]\nsecurity_protocol = 'TLS'", 2, "kafka.security_protocol", "SASL_SSL"),
    ("[kafka]\nsasl_plain_pasword = 'x'", 2, "kafka.sasl_plain_pasword", "sasl_plain_password"),
    ("[store]\nurl = 'twohand'", 2, "store.url", "must be a URL"),
    ("[reviewers.a]\nmodel = 'm'", 1, "reviewers.a.endpoint", "is missing"),
    ("[reviewers.a]\nmodel = 'm'\nendpoint = 'ftp://x'", 3, "reviewers.a.endpoint", "http:// or https://"),
    ("[reviewers.a]\nmodel = 'm'\nendpoint = 'https://'", 3, "reviewers.a.endpoint", "must be a URL"),
    ("[reviewers.a]\nmodel = \"a\\u0000\"\nendpoint = 'https://x'", 2, "reviewers.a.model", "one line"),
    (
        "[reviewers.a]\nmodel = 'm'\nendpoint = 'https://x'\nfallback = ['b']",
        4,
        "reviewers.a.fallback[0]",
        "no reviewer",
    ),
    ("[reviewers.a]\nmodel = 'm'\nendpoint = 'https://x'\nfallback = ['a']", 4, "reviewers.a.fallback[0]", "itself"),
    ("[alerts.a]\nkind = 'fax'", 2, "alerts.a.kind", "pagerduty, alertmanager"),
    ("[alerts.a]\nkind = 'webhook'", 1, "alerts.a.url", "kind webhook needs it"),
    ("[alerts.a]\nkind = 'pagerduty'", 1, "alerts.a.key_env", "kind pagerduty needs it"),
    ("[alerts.a]\nkind = 'email'\nurl = 'smtp://x:25'", 1, "alerts.a.from", "kind email needs it"),
    ("[alerts.a]\nkind = 'slack'\nurl = 'smtp://x'", 3, "alerts.a.url", "allowed: https://, http://"),
    ("[alerts.a]\nkind = 'email'\nurl = 'https://x'\nfrom = 'a@b.c'", 3, "alerts.a.url", "smtp://, smtps://"),
    (
        "[alerts.a]\nkind = 'webhook'\nurl = 'https://x'\nkey_env = 'K'\nkey_file = '/k'",
        5,
        "alerts.a.key_file",
        "too many",
    ),
    ("[alerts.a]\nkind = 'webhook'\nurl = 'https://x'\nanswers_env = 'K'", 4, "alerts.a.answers_env", "of no use"),
    ("[serve]\nlisten = '8460'", 2, "serve.listen", "host:port"),
    ("[serve]\nlisten = 'x:99999'", 2, "serve.listen", "host:port"),
    ("[identity]\ntrust = ['bitbucket']", 2, "identity.trust[0]", "gitlab, gitea, github, certificate"),
    ("[floor]\npolicy = 'policy.toml'", 2, "floor.policy", "absolute path"),
    ("x = ", 1, "", "is no TOML"),
    ("a = " + "[" * 5000, 0, "", "nested too deeply"),
]


@pytest.mark.parametrize(("text", "line", "key", "says"), MISTAKES)
def test_a_mistake_names_its_place_and_the_remedy(text, line, key, says):
    """File, line, key and what is allowed, as for the policy."""
    with pytest.raises(SettingsInvalid) as caught:
        settings.parse(text, "settings.toml")
    assert [(p.file, p.line, p.key) for p in caught.value.problems] == [("settings.toml", line, key)]
    assert says in str(caught.value)


def test_a_secret_in_the_place_of_its_name_is_not_printed():
    """Whoever writes the key itself into key_env does not find it in a log."""
    text = "[reviewers.a]\nendpoint = 'https://x'\nmodel = 'm'\nkey_env = 'sk-12345'\n"
    with pytest.raises(SettingsInvalid) as caught:
        settings.parse(text, "x")
    assert "sk-12345" not in str(caught.value)
    assert "not the secret itself" in str(caught.value)


def test_the_schema_takes_the_full_file():
    """Settings have a JSON Schema of the same table."""
    import tomllib

    schema = settings.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(tomllib.loads(FULL))


class TestLoad:
    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path, monkeypatch):
        """The system's file is one of the test's own."""
        monkeypatch.setattr(settings_file, "SYSTEM", tmp_path / "etc.toml")

    def write(self, path, listen):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'[serve]\nlisten = "{listen}:1"\n')
        return path

    def test_the_first_that_is_found_is_taken(self, tmp_path):
        """--settings, then the variable, then the git directory, then the system; nothing is merged."""
        git = tmp_path / "repo.git"
        assert settings.load(None, git, {}) == Settings()
        self.write(settings_file.SYSTEM, "system")
        assert settings.load(None, git, {}).listen == "system:1"
        self.write(git / "twohand" / "settings.toml", "git")
        assert settings.load(None, git, {}).listen == "git:1"
        variable = {"TWOHAND_SETTINGS": str(self.write(tmp_path / "v.toml", "variable"))}
        assert settings.load(None, git, variable).listen == "variable:1"
        explicit = self.write(tmp_path / "e.toml", "explicit")
        assert settings.load(explicit, git, variable).listen == "explicit:1"
        assert settings.load(explicit, git, variable).source == str(explicit)

    def test_an_empty_variable_is_no_variable(self, tmp_path):
        """As with other tools, set and empty means unset."""
        assert settings.load(None, tmp_path, {"TWOHAND_SETTINGS": ""}) == Settings()

    def test_a_named_file_must_be_there(self, tmp_path):
        """A typing mistake does not silently fall back to the next place."""
        with pytest.raises(SettingsInvalid, match="cannot be read: No such file"):
            settings.load(Path(tmp_path / "no.toml"), tmp_path, {})

    def test_what_cannot_be_read_is_not_absent(self, tmp_path):
        """A directory in the place of the file is a mistake, not the defaults."""
        (tmp_path / "twohand" / "settings.toml").mkdir(parents=True)
        with pytest.raises(SettingsInvalid, match="cannot be read"):
            settings.load(None, tmp_path, {})
        with pytest.raises(SettingsInvalid, match="cannot be read"):
            settings.load(None, tmp_path / ("x" * 5000), {})


PRICED = """\
[reviewers.second-hand]
endpoint = "https://llm.internal/v1"
model = "prod-3"
declared = "qwen3-coder"
price_in = 0.5
price_out = 2
tokens_per_day = 1_000_000
money_per_change = 0.25
"""


def test_limits_prices_and_budgets_of_a_reviewer_arrive():
    """Prices are data: money is counted in millionths, and rounded up."""
    found = settings.parse(PRICED, "settings.toml").reviewers["second-hand"]
    assert (found.lineage, found.tokens_per_day, found.money_per_change) == ("qwen3-coder", 1_000_000, 0.25)
    assert (found.tokens, found.answer_tokens, found.mode) == (400_000, 8_000, "json_schema")
    assert (found.micros(1000, 100), found.micros(1, 0), found.micros(0, 0)) == (700, 1, 0)


REFUSED = [
    ("[reviewers.rules]\nendpoint='https://a.example/v1'\nmodel='m'", "the name of the reviewer that runs the rules"),
    ("[reviewers.a]\nendpoint='http://a.example/v1'\nmodel='m'", "leaves this machine unprotected"),
    ("[reviewers.a]\nendpoint='https://u:p@a.example/v1'\nmodel='m'", "holds a user name or password"),
    ("[reviewers.a]\nendpoint='https://a.example/v1'\nmodel='m'\nkey_env='K'\nkey_file='/k'", "one key too many"),
    ("[reviewers.a]\nendpoint='https://a.example/v1'\nmodel='m'\nmoney_per_day=1", "needs price_in and price_out"),
    ("[reviewers.a]\nendpoint='https://a.example/v1'\nmodel='m'\nprice_in=-1", "a number such as 0.25"),
    ("[reviewers.a]\nendpoint='https://a.example/v1'\nmodel='m'\nprice_in=true", "a number such as 0.25"),
    ("[reviewers.a]\nendpoint='https://a.example/v1'\nmodel='m'\nmode='xml'", "json_object"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_a_reviewer_that_could_not_work_is_refused(text, says):
    """An address without protection, two keys, a budget without prices: said before anything is sent."""
    with pytest.raises(SettingsInvalid) as caught:
        settings.parse(text, "settings.toml")
    assert says in str(caught.value)
    assert "u:p@" not in str(caught.value)
