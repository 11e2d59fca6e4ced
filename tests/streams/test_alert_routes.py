"""Each kind of route speaks its protocol to a server that answers as the real one does (DESIGN 9)."""

import email
import email.policy
import hmac
import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.settings import Alert
from streams.sinks.alerts.message import KINDS, Gone
from streams.sinks.alerts.pagerduty import key_of
from streams.sinks.alerts.route import NotSent, Sent, made, routes
from streams.sinks.alerts.slack import MOST_BLOCKS, written
from tests.streams.alerting import ALICE, AT, message
from tests.streams.receivers import Letters, Receiver, accepted, certificate, mail_server

ROOT = Path(__file__).parents[2]
KEY = "R0UT1NGK3Y" * 3


def told(alert, *messages, **environ):
    """What a route answers to each message."""
    route = made(alert, environ)
    return [route.send(one) for one in messages]


class TestPagerDuty:
    def test_a_problem_is_opened_acknowledged_and_ended_under_one_key(self):
        """Events v2: trigger, acknowledge, resolve; only the trigger carries text."""
        with Receiver(accepted) as server:
            alert = Alert("oncall", "pagerduty", f"{server.url}/v2/enqueue", key_env="KEY")
            kinds = ("open", "acknowledged", "resolved")
            assert told(alert, *map(message, kinds), KEY=KEY) == [Sent("d" * 64)] * 3
        events = [got.json() for got in server.got]
        assert [event["event_action"] for event in events] == ["trigger", "acknowledge", "resolve"]
        assert {(event["dedup_key"], event["routing_key"]) for event in events} == {("d" * 64, KEY)}
        assert "payload" not in events[1]
        payload = events[0]["payload"]
        assert payload["summary"].startswith("simpler-helper -> main: an owner must answer")
        assert (payload["severity"], payload["timestamp"], payload["source"]) == ("critical", AT, "example/shop")
        assert payload["custom_details"]["gone"] == [
            "- shop/helpers.py:3  if request.email not in account.verified_emails:"
        ]
        assert events[0]["links"][0]["href"] == "https://gate.example.com/changes/cccc"
        assert server.got[0].path == "/v2/enqueue"

    def test_an_acknowledgement_that_lapsed_pages_again(self):
        """An acknowledged incident is not paged by a trigger: it is ended, and a new one begins."""
        with Receiver(accepted) as server:
            alert = Alert("oncall", "pagerduty", server.url, key_env="KEY")
            told(alert, message("remind"), message("remind", until=AT), KEY=KEY)
        assert [got.json()["event_action"] for got in server.got] == ["trigger", "resolve", "trigger"]

    def test_a_test_leaves_no_open_incident(self):
        """What `alerts test` opens it ends."""
        with Receiver(accepted) as server:
            told(Alert("oncall", "pagerduty", server.url, key_env="KEY"), message("test"), KEY=KEY)
        assert [got.json()["event_action"] for got in server.got] == ["trigger", "resolve"]

    def test_limits_are_kept(self):
        """255 characters of a key, 1,024 of a summary; a longer key is its digest, always the same."""
        long = message()._replace(dedup="k" * 256, what="w" * 5000)
        with Receiver(accepted) as server:
            told(Alert("oncall", "pagerduty", server.url, key_env="KEY"), long, KEY=KEY)
        [event] = [got.json() for got in server.got]
        assert event["dedup_key"] == key_of("k" * 256)
        assert len(event["dedup_key"]) == 64
        assert len(event["payload"]["summary"]) == 1024


class TestSlack:
    def test_blocks_say_it_and_the_link_is_one(self):
        """A header, what and why, the lost check as code, the command to copy."""
        with Receiver((200, b"ok", {})) as server:
            assert told(Alert("chat", "slack", url_env="HOOK"), message(), HOOK=f"{server.url}/services/T/B/x") == [
                Sent()
            ]
        body = server.got[0].json()
        texts = [block["text"]["text"] for block in body["blocks"] if "text" in block]
        assert texts[0] == "Your answer is needed"
        assert "*Why*\n• shop/helpers.py:3 needs an owner's answer (finding.auth-check-removed)" in texts[3]
        assert "```\ntwohand approve 70d441cee582 --target main --as alice\n```" in texts[-2]
        assert texts[-1] == "<https://gate.example.com/changes/cccc|See the change, and acknowledge>"
        assert body["text"].startswith("Your answer is needed: simpler-helper -&gt; main")

    @pytest.mark.parametrize("kind", KINDS)
    def test_limits_are_kept(self, kind):
        """50 blocks, 3,000 characters a section, far under 13,000 in all, however much there is to tell."""
        row = Gone("src/&<>.py", 3, "old", "rule", "&" * 300)
        much = message(kind)._replace(
            why=("<" * 300,) * 21, paths=("&" * 300,) * 21, gone=(row,) * 20, asked=(ALICE,) * 900
        )
        body = written(much)
        assert len(body["blocks"]) <= MOST_BLOCKS
        sizes = [len(block["text"]["text"]) for block in body["blocks"] if "text" in block]
        assert max(sizes) <= 3000
        assert sum(sizes) <= 13_000

    def test_nobody_is_mentioned_by_what_others_wrote(self):
        """`<!channel>`, links and the end of a code block in a quote are text."""
        row = Gone("a.py", 1, "old", "rule", "``` <!channel> <https://evil.example|click> @here")
        text = json.dumps(written(message()._replace(gone=(row,), what="<!everyone> & <@U1>")))
        assert "<!" not in text
        assert "<@" not in text
        assert "<https://evil" not in text
        assert text.count("```") == 4  # two blocks, the lost lines and the command


class TestWebhook:
    def test_the_body_is_signed_and_its_event_named(self):
        """HMAC over exactly the bytes that arrive; the id repeats with the event."""
        with Receiver((204, b"", {})) as server:
            alert = Alert("hook", "webhook", f"{server.url}/in", key_env="KEY")
            assert told(alert, message(), message(), message("resolved"), KEY="s3cret") == [Sent()] * 3
        for got in server.got:
            expected = "sha256=" + hmac.new(b"s3cret", got.body, "sha256").hexdigest()
            assert hmac.compare_digest(got.headers["X-Twohand-Signature"], expected)
        assert [got.headers["X-Twohand-Id"] for got in server.got] == ["event-open", "event-open", "event-resolved"]
        assert server.got[0].body == server.got[1].body

    def test_goalert_reads_it(self):
        """summary, details, dedup and action=close are its generic API."""
        with Receiver() as server:
            told(Alert("hook", "webhook", server.url), message(), message("resolved"))
        opened, ended = (got.json() for got in server.got)
        assert opened["summary"].startswith("simpler-helper -> main")
        assert "action" not in opened
        assert (ended["action"], ended["dedup"]) == ("close", "d" * 64)
        assert opened["schema"] == "twohand.alert/v1"
        assert "X-Twohand-Signature" not in server.got[0].headers

    def test_addresses_of_people_stay_here(self):
        """Names are enough for another system."""
        with Receiver() as server:
            told(Alert("hook", "webhook", server.url), message())
        assert server.got[0].json()["asked"] == ["alice", "bob"]
        assert b"@example.com" not in server.got[0].body


def mail_alert(port, **changes):
    return Alert(
        "owners", "email", **{"url": f"smtp://127.0.0.1:{port}", "sender": "twohand@gate.example.com", **changes}
    )


class TestMail:
    def test_the_people_asked_get_it_and_it_stands_in_one_thread(self):
        """All their addresses and those of the route; one root, a Message-ID for each event that repeats with it."""
        letters = Letters()
        with mail_server(letters) as port:
            sent = told(mail_alert(port, to=("security@example.com",)), message(), message(), message("resolved"))
        assert all(isinstance(answer, Sent) for answer in sent)
        envelopes = [envelope for envelope, _ in letters.taken]
        people = ["alice@example.com", "bob@example.com", "robert@example.com", "security@example.com"]
        assert [envelope.rcpt_tos for envelope in envelopes] == [people] * 3
        assert envelopes[0].mail_from == "twohand@gate.example.com"
        first, again, ended = (email.message_from_bytes(e.content, policy=email.policy.default) for e in envelopes)
        assert first["Message-ID"] == again["Message-ID"] != ended["Message-ID"]
        assert first["References"] == ended["References"] == ended["In-Reply-To"]
        assert first["In-Reply-To"] is None
        assert (first["Subject"], ended["Subject"]) == (
            "[twohand] simpler-helper -> main",
            "Re: [twohand] simpler-helper -> main",
        )
        assert first["Auto-Submitted"] == "auto-generated"
        assert first["Date"].datetime.strftime("%Y-%m-%dT%H:%M:%SZ") == AT
        assert "twohand approve 70d441cee582 --target main --as alice" in first.get_content()

    def test_a_name_cannot_add_a_header(self):
        """What others wrote ends no line of the head, in any script."""
        letters = Letters()
        odd = message()._replace(what="x\r\nBcc: eve@example.com: ünïcode 漢字", change="")
        with mail_server(letters) as port:
            [answer] = told(mail_alert(port), odd)
        assert isinstance(answer, Sent)
        [(envelope, _)] = letters.taken
        assert "eve@example.com" not in envelope.rcpt_tos
        taken = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert taken["Bcc"] is None
        assert taken["Subject"].endswith(r"x\r\nBcc: eve@example.com: ünïcode 漢字")

    def test_a_refused_address_is_a_failure_that_names_it(self):
        """The others got it; who did not is not forgotten. 4xx passes, 5xx does not."""
        letters = Letters({"bob@example.com": "550 no such user"})
        with mail_server(letters) as port:
            [answer] = told(mail_alert(port), message())
            letters.refuses = {"bob@example.com": "450 come again"}
            [later] = told(mail_alert(port), message())
        assert answer.retry_after is None
        assert "bob@example.com (550" in answer.reason
        assert later.retry_after == 30
        assert letters.taken[0][0].rcpt_tos == ["alice@example.com", "robert@example.com"]

    def test_a_server_that_takes_no_mail_now_is_asked_again(self):
        """451 passes, 554 does not."""
        with mail_server(Letters(answer="451 greylisted")) as port:
            [later] = told(mail_alert(port), message())
        with mail_server(Letters(answer="554 no")) as port:
            [never] = told(mail_alert(port), message())
        assert (later.retry_after, never.retry_after) == (30, None)

    def test_nobody_to_write_to_is_said(self):
        """A person without an address in the policy cannot be reached this way."""
        [answer] = told(mail_alert(1), message(asked=(ALICE._replace(emails=()),)))
        assert answer == NotSent("the message has no address to go to (the policy names no e-mail of alice)", None)

    def test_a_password_waits_for_tls(self, tmp_path, monkeypatch):
        """STARTTLS with a checked certificate before the key is shown; without it nothing is said."""
        import ssl

        pem = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        seen = []

        def authenticator(_server, session, _envelope, mechanism, data):
            from aiosmtpd.smtp import AuthResult

            seen.append((session.ssl is not None, data.login, data.password))
            return AuthResult(success=data.password == b"pass", handled=False)

        letters = Letters()
        options = {"tls_context": context, "authenticator": authenticator, "auth_required": True}
        with mail_server(letters, **options) as port:
            alert = mail_alert(port, url=f"smtp://robot@localhost:{port}", key_env="KEY")
            [unknown] = told(alert, message(), KEY="pass")
            monkeypatch.setenv("SSL_CERT_FILE", str(pem))
            wrong, right = told(alert, message(), KEY="nope") + told(alert, message(), KEY="pass")
        assert "CERTIFICATE_VERIFY_FAILED" in unknown.reason
        assert "535" in wrong.reason
        assert isinstance(right, Sent)
        assert list(dict.fromkeys(seen)) == [(True, b"robot", b"nope"), (True, b"robot", b"pass")]
        assert letters.taken[0][1] is True

    def test_tls_from_the_start(self, tmp_path, monkeypatch):
        """smtps:// speaks it before anything else, and the certificate has to name the host."""
        import ssl

        pem = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        letters = Letters()
        with mail_server(letters, ssl_context=context) as port:
            [right] = told(mail_alert(port, url=f"smtps://localhost:{port}"), message())
            [wrong] = told(mail_alert(port, url=f"smtps://127.0.0.1:{port}"), message())
        assert isinstance(right, Sent)
        assert "CERTIFICATE_VERIFY_FAILED" in wrong.reason
        assert len(letters.taken) == 1

    def test_an_address_that_the_server_cannot_write_is_said(self):
        """Letters outside of ASCII need SMTPUTF8; without it the mail cannot go, and others are told instead."""
        with mail_server(Letters(), enable_SMTPUTF8=False) as port:
            [answer] = told(mail_alert(port, to=("jürgen@example.com",)), message())
        assert "SMTPUTF8" in answer.reason
        assert answer.retry_after is None

    def test_a_server_without_tls_gets_no_password(self):
        """Nothing is sent in the clear that may not be."""
        with mail_server(Letters()) as port:
            [answer] = told(mail_alert(port, key_env="KEY"), message(), KEY="pass")
        assert isinstance(answer, NotSent)
        assert "STARTTLS" in answer.reason


def test_the_default_speaks_on_standard_error(capsys):
    """Without any service, whoever runs the gate reads it in its log."""
    assert told(Alert("log", "log"), message()) == [Sent()]
    text = capsys.readouterr().err
    assert text.startswith(f"{AT} alert log [critical] Your answer is needed: simpler-helper -> main")
    assert "twohand approve 70d441cee582" in text


def test_a_log_that_nobody_can_write_is_a_failure(monkeypatch):
    """A closed standard error tells nobody anything."""
    with (ROOT / "LICENSE").open() as closed:
        pass
    monkeypatch.setattr(sys, "stderr", closed)
    [answer] = told(Alert("log", "log"), message())
    assert "standard error cannot be written" in answer.reason


SECRETS = [
    (Alert("a", "pagerduty", "https://x.invalid", key_env="KEY"), {}, "KEY, which holds the key, is not set"),
    (Alert("a", "pagerduty", "https://x.invalid", key_env="KEY"), {"KEY": "a\nb"}, "KEY is no key"),
    (Alert("a", "pagerduty", "https://x.invalid", key_file="/nowhere/key"), {}, "/nowhere/key cannot be read"),
    (Alert("a", "slack", url_env="HOOK"), {}, "HOOK, which holds the address, is not set"),
    (Alert("a", "slack", url_env="HOOK"), {"HOOK": "https://x/\x00"}, "HOOK is no address"),
    (Alert("a", "webhook", "https://x.invalid", key_env="KEY"), {}, "KEY"),
    (Alert("a", "webhook", url_env="HOOK"), {}, "HOOK"),
    (Alert("a", "alertmanager", url_env="HOOK"), {}, "HOOK"),
    (Alert("a", "alertmanager", "http://x.invalid", key_env="KEY"), {}, "KEY"),
    (Alert("a", "email", url_env="HOOK", sender="a@b.c"), {}, "HOOK"),
    (Alert("a", "email", "smtp://x.invalid", sender="a@b.c", key_env="KEY"), {}, "KEY"),
    (Alert("a", "email", "http://x.invalid", sender="a@b.c"), {}, "is no address of mail"),
    (Alert("a", "email", "smtp://x:99999999", sender="a@b.c"), {}, "is none"),
    (Alert("a", "webhook", "ftp://x.invalid"), {}, "no address that can be called"),
]


@pytest.mark.parametrize(("alert", "environ", "says"), SECRETS)
def test_settings_that_cannot_work_say_why_and_are_not_tried_again(alert, environ, says):
    """Without its key or address a route answers; it does not raise, and calls nobody."""
    [answer] = told(alert, message(), **environ)
    assert says in answer.reason
    assert answer.retry_after is None


def test_a_key_is_read_from_a_file(tmp_path):
    """Where no environment is wanted."""
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    with Receiver(accepted) as server:
        assert told(Alert("a", "pagerduty", server.url, key_file=str(path)), message()) == [Sent("d" * 64)]
    assert server.got[0].json()["routing_key"] == KEY
    path.write_text("")
    [answer] = told(Alert("a", "pagerduty", "https://x.invalid", key_file=str(path)), message())
    assert "holds no key" in answer.reason


def test_every_kind_of_the_settings_has_a_route():
    """No key of the settings leads nowhere."""
    from streams.settings import ALERT

    kinds = ALERT.entries["kind"].shape.choices
    alerts = {kind: Alert(kind, kind) for kind in kinds}
    found = routes(alerts, {})
    assert {name: route.kind for name, route in found.items()} == {kind: kind for kind in kinds}
    assert [name for name, route in found.items() if route.resend] == ["alertmanager"]
    assert {route.name for route in found.values()} == set(kinds)


HEAVY = ("httpx2", "smtplib", "email", "prometheus_client", "aiohttp", "asyncio", "streams.sinks.alerts")
PATHS = ("streams.hooks.entry", "streams.hooks.receive", "streams.commands.review", "streams.settings", "streams.desk")


@pytest.mark.parametrize("module", PATHS)
def test_hooks_and_reviews_bring_no_client(module):
    """Whoever pushes or reviews does not pay for what tells people."""
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
