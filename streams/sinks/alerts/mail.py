"""E-mail over SMTP, to the people who are asked and to whom the route names.

`smtp://[user@]host[:25]` starts TLS where the server offers it (always on port 587 and before a password; not on the
machine's own loopback), `smtps://[user@]host[:465]` speaks it from the start. Certificates are checked against the
system's. All messages of one problem refer to one root, so that they stand in one thread; each has a Message-ID of its
own that repeats when it is sent again.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from rules import instants
from rules.canonical import digest
from streams.sinks.alerts import keys, wire
from streams.sinks.alerts.message import OPEN, Message
from streams.sinks.alerts.route import DEADLINE, LATER, Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import lines
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.settings import Alert

SUBMISSION: Final = 587
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Mail(Configured):
    """`kind = "email"`: a key is the password of `user`, or of the sender."""

    def send(self, message: Message) -> Answer:
        to = tuple(dict.fromkeys((*message.emails(), *self.alert.to)))
        if not to:
            asked = f" (the policy names no e-mail of {message.names()})" if message.asked else ""
            return NotSent(f"the message has no address to go to{asked}", None)
        server, key = _server(self.alert, self.environ), keys.key(self.alert, self.environ)
        if isinstance(server, NotSent):
            return server
        if isinstance(key, NotSent):
            return key
        return _delivered(_Letter(server, key, self.alert.sender, to), written(message, self.alert.sender, to))


class Server(NamedTuple):
    """Where mail is handed in."""

    host: str
    port: int
    user: str
    tls: bool  # from the start

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class _Letter(NamedTuple):
    server: Server
    password: str
    sender: str
    to: tuple[str, ...]


def written(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail. What others wrote stands in its body and, on one line, in its subject."""
    mail = EmailMessage(policy=policy.SMTP)
    domain = _domain(sender)
    root = f"<{digest(['problem', message.dedup])[:32]}@{domain}>"
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = f"{'' if message.kind == OPEN else 'Re: '}[twohand] {_topic(message)}"
    mail["Date"] = formatdate(instants.seconds_of(message.at)) if instants.is_instant(message.at) else formatdate()
    mail["Message-ID"] = f"<{digest([message.event, message.kind])[:32]}@{domain}>"
    mail["References"] = root
    if message.kind != OPEN:
        mail["In-Reply-To"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Twohand-Id"] = shown(message.event)
    if message.severity == "critical":
        mail["Importance"] = "high"
    mail.set_content("\n".join(lines(message)) + "\n", charset="utf-8")
    return mail


def _topic(message: Message) -> str:
    """The same for every message of one problem, so that they stand in one thread."""
    return shown(message.what.partition(": ")[0] if message.change else message.what, 150)


def _domain(sender: str) -> str:
    found = parseaddr(sender)[1].rpartition("@")[2]
    return found if found and found.isascii() else "twohand.invalid"


def _server(alert: Alert, environ: Mapping[str, str]) -> Server | NotSent:
    url = keys.address(alert, environ)
    if isinstance(url, NotSent):
        return url
    try:
        parts = urlsplit(url)
        host, port, tls = parts.hostname or "", parts.port, parts.scheme == "smtps"
    except ValueError:
        host, port, tls, parts = "", None, False, urlsplit("")
    if parts.scheme not in {"smtp", "smtps"} or not host:
        return NotSent(f"{keys.place(url)} is no address of mail: smtp://host:25 or smtps://host:465", None)
    return Server(host, port or (465 if tls else 25), unquote(parts.username or ""), tls)


def _delivered(letter: _Letter, mail: EmailMessage) -> Answer:
    """The server's answer within the deadline; a connection that is left behind is cut."""
    smtp = _client(letter)
    answer = wire.within(DEADLINE, lambda: _said(letter, mail, smtp))
    if answer:
        return answer
    with suppress(OSError, AttributeError):
        cast("socket.socket", smtp.sock).shutdown(socket.SHUT_RDWR)
    return NotSent(f"{letter.server.place} did not take the mail within {DEADLINE:g} seconds")


def _said(letter: _Letter, mail: EmailMessage, smtp: smtplib.SMTP) -> Answer:
    where = letter.server.place
    try:
        return _handed_in(letter, mail, smtp)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(where, error.recipients)
    except smtplib.SMTPResponseException as error:
        return NotSent(f"{where} answered {error.smtp_code}: {_text(error.smtp_error)}", _again(error.smtp_code))
    except smtplib.SMTPNotSupportedError as error:
        return NotSent(f"{where}: {shown(str(error), 160)}", None)
    except ssl.SSLError as error:
        return NotSent(f"{where} cannot be reached by TLS: {shown(error.reason or str(error), 160)}")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return NotSent(f"{where} cannot be reached: {shown(str(error) or type(error).__name__, 160)}")


def _handed_in(letter: _Letter, mail: EmailMessage, smtp: smtplib.SMTP) -> Answer:
    server = letter.server
    smtp.connect(server.host, server.port)
    with smtp:
        smtp.ehlo_or_helo_if_needed()
        needed = bool(letter.password) or server.port == SUBMISSION
        offered = smtp.has_extn("starttls") and server.host not in LOOPBACK
        if not server.tls and (needed or offered):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        if letter.password:
            smtp.login(server.user or parseaddr(letter.sender)[1], letter.password)
        refused = smtp.send_message(mail, parseaddr(letter.sender)[1], list(letter.to))
    return _refused(server.place, refused) if refused else Sent(str(mail["Message-ID"]))


def _client(letter: _Letter) -> smtplib.SMTP:
    """Not connected yet. The name in EHLO is given, for looking it up may take as long as it likes."""
    domain = _domain(letter.sender)
    smtp: smtplib.SMTP
    if letter.server.tls:
        smtp = smtplib.SMTP_SSL(local_hostname=domain, timeout=DEADLINE, context=ssl.create_default_context())
    else:
        smtp = smtplib.SMTP(local_hostname=domain, timeout=DEADLINE)
    vars(smtp)["_host"] = (
        letter.server.host
    )  # whom the certificate must name; only the constructor that connects sets it
    return smtp


def _refused(where: str, recipients: Mapping[str, tuple[int, bytes]]) -> NotSent:
    """Some or all addresses were not taken; who was reached gets the same Message-ID again."""
    rows = [f"{shown(name, 80)} ({code} {_text(text)})" for name, (code, text) in recipients.items()]
    again = any(_again(code) for code, _ in recipients.values())
    return NotSent(f"{where} refused {', '.join(rows[:5])}", LATER if again else None)


def _again(code: int) -> float | None:
    """4xx passes, 5xx does not."""
    return None if code >= 500 else LATER


def _text(said: bytes | str) -> str:
    return shown(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, 160)
