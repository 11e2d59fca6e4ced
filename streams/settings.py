"""The operator's settings: where secrets go and which addresses are called. Never read from a tree (DESIGN 5.2)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.policy import decoded, syntax_problem
from rules.policy_shape import EMAIL, NAME
from rules.report import Invalid, Problem, Report
from rules.shape import Entry, Flag, ListOf, Named, OneOf, Table, Text
from streams import settings_kafka, settings_reviewers
from streams.settings_file import SYSTEM, places
from streams.settings_reviewers import Reviewer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "TWOHAND_SETTINGS"
PLACES: Final = f"--settings FILE, ${VARIABLE}, twohand/settings.toml in the git directory, {SYSTEM}"


class SettingsInvalid(Invalid):
    """Settings that cannot be used, with every mistake in them."""


class Alert(NamedTuple):
    """A route for messages to people."""

    name: str
    kind: str  # pagerduty, alertmanager, slack, webhook, email, log
    url: str = ""
    url_env: str = ""
    key_env: str = ""
    sender: str = ""  # `from` of e-mail
    to: tuple[str, ...] = ()
    key_file: str = ""
    answers_env: str = ""  # the variable with the secret that signs what comes back


class Settings(NamedTuple):
    """`source` is the file, "" where there is none and everything is the default."""

    engine: str = "journal"  # or "kafka"
    kafka: Mapping[str, str | bool] = {}  # as kafka-python names them, without "bootstrap"
    bootstrap: str = "127.0.0.1:9092"
    store: str = ""  # the URL of the case store of the Kafka engine
    reviewers: Mapping[str, Reviewer] = {}
    alerts: Mapping[str, Alert] = {}
    listen: str = "127.0.0.1:8460"
    url: str = ""  # the address of the page as people reach it
    trust: tuple[str, ...] = ()  # whose environment names a pusher in a hook, and whose reviews count (law 10, 21)
    floor: str = ""  # absolute path of the organisation's policy (law 36)
    packages: tuple[str, ...] = ()  # installed packages whose rules run beside the catalogue
    notes: bool = False  # write a git note with the decision of what landed
    source: str = ""


def load(explicit: Path | None, git_common_dir: Path, environ: Mapping[str, str]) -> Settings:
    """The first settings that are found; SettingsInvalid when they are wrong, cannot be read, or were named and are absent.

    The order is `explicit`, $TWOHAND_SETTINGS, the git directory's twohand/settings.toml, /etc/twohand/settings.toml.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        return _read(named)
    found = (path for path in places(None, git_common_dir) if _present(path))
    path = next(found, None)
    return _read(path) if path else Settings()


def _present(path: Path) -> bool:
    """Also where it cannot be looked at: reading it then says why."""
    try:
        return path.exists()
    except OSError:
        return True


def parse(text: str | bytes, source: str) -> Settings:
    """The settings of a TOML text; SettingsInvalid with every mistake."""
    read = decoded(text, source, SettingsInvalid)
    try:
        data = tomllib.loads(read)
    except (ValueError, RecursionError) as error:
        raise SettingsInvalid((syntax_problem(read, source, error),)) from None
    report = Report(source, read)
    settings = _built(SETTINGS.read(data, (), report), source)
    _check(settings, report)
    if report:
        raise SettingsInvalid(report.problems())
    return settings


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `settings.toml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "twohand settings.toml",
        "description": "What only the operator decides; never part of a repository's tree.",
        **SETTINGS.schema(),
    }


def _read(path: Path) -> Settings:
    try:
        text = path.read_bytes()
    except OSError as error:
        why = f"cannot be read: {error.strerror}. Settings are looked for in this order: {PLACES}"
        raise SettingsInvalid((Problem(str(path), 0, "", "", (), why),)) from None
    return parse(text, str(path))


def _built(read: dict[str, Any], source: str) -> Settings:
    kafka = {name: value for name, value in read["kafka"].items() if value != ""}
    return Settings(
        engine=read["engine"],
        bootstrap=str(kafka.pop("bootstrap", "")),
        kafka=kafka,
        store=read["store"]["url"],
        reviewers={name: Reviewer(name, **fields) for name, fields in read["reviewers"].items()},
        alerts={name: _alert(name, fields) for name, fields in read["alerts"].items()},
        listen=read["serve"]["listen"],
        url=read["serve"]["url"].rstrip("/"),
        trust=read["identity"]["trust"],
        floor=read["floor"]["policy"],
        packages=read["rules"]["packages"],
        notes=read["record"]["notes"],
        source=source,
    )


def _alert(name: str, fields: dict[str, Any]) -> Alert:
    return Alert(name, sender=fields["from"], **{key: value for key, value in fields.items() if key != "from"})


def _check(settings: Settings, report: Report) -> None:
    wrong = (
        *settings_kafka.wrong(settings.kafka, settings.store),
        *settings_reviewers.wrong(settings.reviewers),
        *_wrong_alerts(settings),
    )
    for path, value, allowed, message in wrong:
        report.add(path, value, allowed, message)


def _wrong_alerts(settings: Settings) -> Iterator[settings_reviewers.Wrong]:
    for name, alert in settings.alerts.items():
        needed = _NEEDED.get(alert.kind, ())
        have = {"url": alert.url or alert.url_env, "key_env": alert.key_env or alert.key_file, "from": alert.sender}
        for key in needed:
            if not have[key]:
                yield ("alerts", name, key), None, (), f"is missing: kind {alert.kind} needs it"
        yield from _odd_alert(name, alert)


def _odd_alert(name: str, alert: Alert) -> Iterator[settings_reviewers.Wrong]:
    """What is there and cannot be meant. An address may be a secret, so it is not shown."""
    schemes = ("smtp://", "smtps://") if alert.kind == "email" else ("https://", "http://")
    if alert.url and not alert.url.lower().startswith(schemes):
        yield ("alerts", name, "url"), None, schemes, f"does not begin as an address of kind {alert.kind} does"
    if alert.key_env and alert.key_file:
        yield ("alerts", name, "key_file"), None, (), "is one key too many: key_env names another"
    if alert.answers_env and alert.kind != "pagerduty":
        yield (
            ("alerts", name, "answers_env"),
            None,
            (),
            f"is of no use: nothing signed comes back from kind {alert.kind}",
        )


_NEEDED: Final = {
    "pagerduty": ("key_env",),
    "alertmanager": ("url",),
    "slack": ("url",),
    "webhook": ("url",),
    "email": ("url", "from"),
}


def _line(text: str) -> str:
    if len(text) <= 2000 and text.isprintable():
        return text
    raise ValueError("must be one line of at most 2,000 printable characters")


def _url(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    if not text or (mark and scheme.isalpha() and rest and " " not in _line(text)):
        return text
    raise ValueError("must be a URL such as https://llm.internal/v1")


def _variable(text: str) -> str:
    if not text or (text.isascii() and text.replace("_", "a").isalnum() and not text[0].isdigit()):
        return text
    raise ValueError("must be the name of an environment variable, not the secret itself")


def _listen(text: str, like: str = "127.0.0.1:8460") -> str:
    host, colon, port = text.rpartition(":")
    if host and colon and port.isascii() and port.isdigit() and int(port[:6]) < 65_536:
        return text
    raise ValueError(f"must be host:port, such as {like}")


def _bootstrap(text: str) -> str:
    return ",".join(_listen(part.strip(), "127.0.0.1:9092") for part in text.split(","))


def _package(text: str) -> str:
    if 0 < len(text) <= 200 and text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return text
    raise ValueError("must be the name of an installed package, such as acme-rules")


def _absolute(text: str) -> str:
    if not text or (text.startswith("/") and text.isprintable()):
        return text
    raise ValueError("must be an absolute path")


_TEXT: Final = Text("one line of text", _line)
_URL: Final = Text("a URL", _url)
_ENV: Final = Text("the name of an environment variable", _variable, r"^([A-Za-z_][A-Za-z0-9_]*)?$", secret=True)
_SECRET: Final = Text("one line of text", _line, secret=True)
_ABSOLUTE: Final = Text("an absolute path", _absolute)
_NONE: Final[list[str]] = []
_CHECK_HOSTNAME: Final = Flag(empty=True)

_SASL: Final = (
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_kerberos_name",
    "sasl_kerberos_service_name",
    "sasl_kerberos_domain_name",
)
_SSL: Final = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile", "ssl_ciphers")
KAFKA: Final = Table(
    {
        "bootstrap": Entry(Text("host:port, several with commas", _bootstrap), "The brokers.", "127.0.0.1:9092"),
        "security_protocol": Entry(
            OneOf(("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")), "How brokers are spoken to.", "PLAINTEXT"
        ),
        **{name: Entry(_TEXT, "As in kafka-python.", "") for name in (*_SASL, *_SSL)},
        **{name: Entry(_SECRET, "As in kafka-python.", "") for name in ("sasl_plain_password", "ssl_password")},
        "ssl_check_hostname": Entry(_CHECK_HOSTNAME, "As in kafka-python.", default=True),
    }
)
REVIEWER: Final = settings_reviewers.table(line=_TEXT, variable=_ENV, absolute=_ABSOLUTE)
ALERT: Final = Table(
    {
        "kind": Entry(
            OneOf(("pagerduty", "alertmanager", "slack", "webhook", "email", "log")), "What stands at the other end."
        ),
        "url": Entry(_URL, "Where messages go.", ""),
        "url_env": Entry(_ENV, "The environment variable that holds the address, where it is a secret.", ""),
        "key_env": Entry(_ENV, "The environment variable that holds the key or signing secret.", ""),
        "key_file": Entry(_ABSOLUTE, "The file that holds it instead.", ""),
        "answers_env": Entry(
            _ENV, "The environment variable that holds the secret of answers (PagerDuty's webhook).", ""
        ),
        "from": Entry(_TEXT, "The sender of e-mail.", ""),
        "to": Entry(ListOf(EMAIL), "Who gets e-mail besides the people addressed.", _NONE),
    }
)
SETTINGS: Final = Table(
    {
        "engine": Entry(OneOf(("journal", "kafka")), "What carries events.", "journal"),
        "kafka": Entry(KAFKA, "The brokers of the Kafka engine.", {}),
        "store": Entry(
            Table({"url": Entry(_URL, "A postgresql:// address.", "")}), "The Kafka engine's case store.", {}
        ),
        "reviewers": Entry(Named(REVIEWER, NAME), "Model reviewers that the gate runs.", {}),
        "alerts": Entry(Named(ALERT, NAME), "Routes that the policy's steps name.", {}),
        "serve": Entry(
            Table(
                {
                    "listen": Entry(Text("host:port", _listen), "Where the page listens.", "127.0.0.1:8460"),
                    "url": Entry(
                        _URL, "Its address as people reach it, for the links in messages; empty: that of `listen`.", ""
                    ),
                }
            ),
            "The embedded service.",
            {},
        ),
        "identity": Entry(
            Table(
                {
                    "trust": Entry(
                        ListOf(OneOf(("gitlab", "gitea", "github", "certificate"))),
                        "Whose environment names a pusher in a hook, and whose reviews `--forge-reviews` counts (law 10, 21).",
                        _NONE,
                    )
                }
            ),
            "How a pusher is known.",
            {},
        ),
        "floor": Entry(
            Table({"policy": Entry(Text("an absolute path", _absolute), "The organisation's policy (law 36).", "")}),
            "What holds for every repository.",
            {},
        ),
        "rules": Entry(
            Table(
                {
                    "packages": Entry(
                        ListOf(Text("the name of a package", _package), most=50),
                        "Installed packages whose rules (entry point group `twohand.rules`) run beside the catalogue. "
                        "One that is absent, does not load or crashes keeps the gate closed.",
                        _NONE,
                    )
                }
            ),
            "Rules written in Python.",
            {},
        ),
        "record": Entry(
            Table(
                {
                    "notes": Entry(
                        Flag(),
                        "After a push, write the decision of what landed as a git note in refs/notes/twohand, for other tools.",
                        default=False,
                    )
                }
            ),
            "What is recorded besides the journal.",
            {},
        ),
    }
)
