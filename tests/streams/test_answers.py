"""Acknowledgements by link, key, page and from elsewhere: once, for a while, and never an approval (law 17, 20)."""

import json
import stat
from pathlib import Path

import pytest

from rules import instants
from rules.events import DecisionMade, EscalationAcknowledged
from streams import answers, letters
from streams.answers import VALID_FOR, AckRefused, Answers, Offer, secret_at
from streams.commands.app import run
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.service import Service
from streams.settings import Alert
from tests.gitrepo import Repo
from tests.streams.asked import ALERTS, START, change
from tests.streams.receivers import Receiver

SECRET = b"k" * 32
ADDRESS = "https://gate.example.com"


class Clock:
    """An instant that tests move."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> str:
        return self.at

    def after(self, seconds: int) -> None:
        self.at = instants.later(START, seconds)


class Desk:
    """A journal with one open question, a service over it, and what the page would call."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.journal = Journal(path)
        self.journal.append(change(1))
        self.service = Service(self.journal, ALERTS, now=self.clock, secret=SECRET, address=ADDRESS)
        self.service.round()
        self.answers = Answers(path, SECRET, now=self.clock)

    def link(self) -> str:
        """The link of the newest message that has one."""
        links = [parcel.message.link for parcel, _, _ in JournalOutbox(self.journal).letters() if parcel.message.link]
        assert links[-1].startswith(f"{ADDRESS}/ack/")
        return links[-1].rpartition("/")[2]

    def one(self):
        (found,) = answers.escalations(self.journal).values()
        return found


@pytest.fixture
def desk(tmp_path: Path):
    found = Desk(tmp_path / "journal.db")
    with found.journal:
        yield found


def refused(work, *arguments) -> str:
    with pytest.raises(AckRefused) as caught:
        work(*arguments)
    return str(caught.value)


def test_a_link_says_what_it_would_do_and_does_it_once(desk):
    """Opening it uses nothing up; using it acknowledges in the name of who was paged; the second time it is refused."""
    link = desk.link()
    until = instants.later(START, VALID_FOR)
    offer = Offer(desk.one().name, "change-1", "carol", until)
    assert desk.answers.offered(link) == desk.answers.offered(link) == offer
    assert desk.one().state == "open"
    assert desk.answers.use(link) == offer
    assert (desk.one().state, desk.one().by) == ("acknowledged", "carol")
    assert "already" in refused(desk.answers.use, link)
    assert "already" in refused(desk.answers.offered, link)
    heard = [event for event in desk.journal.events() if isinstance(event, EscalationAcknowledged)]
    assert [(event.by, event.through) for event in heard] == [("carol", "link")]


def test_a_link_acknowledges_and_approves_nothing(desk):
    """Law 20: after it nothing was decided anew, and the change is still escalated."""
    desk.answers.use(desk.link())
    desk.clock.after(60)
    desk.service.round()
    assert [event.outcome for event in desk.journal.events() if isinstance(event, DecisionMade)] == ["escalated"]


def test_an_expired_link_is_refused(desk):
    """Twelve hours later it opens nothing; a second earlier it does."""
    link = desk.link()
    desk.clock.after(VALID_FOR)
    assert "expired" in refused(desk.answers.use, link)
    desk.clock.after(VALID_FOR - 1)
    assert desk.answers.use(link).by == "carol"


def test_a_link_of_an_earlier_page_is_refused_after_the_lapse(desk):
    """When an acknowledgement has ended, an old link silences nothing: neither a used one nor one that nobody used."""
    link = desk.link()
    desk.answers.acknowledge(desk.one().name, "bob")
    desk.clock.after(1800)
    desk.service.round()
    assert desk.one().lapse == 1
    assert "earlier page" in refused(desk.answers.use, link)
    assert desk.link() != link
    assert desk.answers.use(desk.link()).by == "carol"


def test_an_altered_link_is_refused(desk):
    """Another name in the link, another secret, or rubbish: refused, and nothing is recorded."""
    link = desk.link()
    other = answers.linker(b"x" * 32, ADDRESS, desk.clock)(desk.one(), "mallory").rpartition("/")[2]
    for wrong in (other, link[:-2], f"A{link}", "", "x.y", link.replace(".", "")):
        assert "acknowledges nothing" in refused(desk.answers.use, wrong)
    assert desk.one().state == "open"


def test_the_secret_is_the_operators_alone(tmp_path):
    """It is made once with 0600; one that others can read or that is empty is refused with what to do."""
    secret = secret_at(tmp_path / "twohand")
    path = tmp_path / "twohand" / answers.SECRET
    assert (len(secret) >= 32, secret_at(tmp_path / "twohand")) == (True, secret)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_at(tmp_path / "other") != secret
    path.chmod(0o640)
    assert "can be read by others" in refused(secret_at, path.parent)
    path.chmod(0o600)
    path.write_bytes(b"")
    assert "holds no secret" in refused(secret_at, path.parent)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AckRefused, match="cannot be written"):
        secret_at(tmp_path / "file" / "twohand")


def test_a_link_from_the_command_line(tmp_path, capsys):
    """`escalation ack --link` takes the whole address out of a message, once."""
    repo = Repo(tmp_path / "repo")
    place = repo.path / ".git" / "twohand"
    secret = secret_at(place)
    with Journal(place / "journal.db") as journal:
        from streams import clock

        journal.append(change(1, clock.now()))
        Service(journal, ALERTS, now=clock.now, secret=secret, address=ADDRESS).round()
        link = JournalOutbox(journal).letters()[0][0].message.link
    assert run(["escalation", "ack", "--link", link, "-C", str(repo.path)]) == 0
    assert "carol acknowledged" in capsys.readouterr().out
    assert run(["escalation", "ack", "--link", link, "-C", str(repo.path)]) == 2
    assert "already" in capsys.readouterr().err
    assert run(["escalation", "ack", "-C", str(repo.path)]) == 2
    assert run(["escalation", "list", "--format", "jsonl", "-C", str(repo.path)]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["state"], row["acknowledged_by"]) == ("acknowledged", "carol")
    assert run(["escalation", "show", "", "-C", str(repo.path)]) == 2


def test_who_silences_it_in_alertmanager_has_acknowledged(tmp_path):
    """A silence of exactly this problem, made by a person there, is an acknowledgement here."""
    path = tmp_path / "journal.db"
    clock = Clock()
    with Receiver() as receiver, Journal(path) as journal:
        journal.append(change(1))
        alerts = {"owners": Alert("owners", "alertmanager", url=receiver.url)}
        service = Service(journal, alerts, now=clock)
        service.round()
        posted = next(got.json() for got in receiver.got if got.method == "POST")
        (one,) = answers.escalations(journal).values()
        assert one.name in json.dumps(posted)
        silence = {
            "id": "s1", "createdBy": "carol@example.com", "startsAt": clock(), "status": {"state": "active"},
            "matchers": [{"name": "dedup", "value": one.name, "isRegex": False, "isEqual": True}],
        }  # fmt: skip
        label = next(name for name, value in posted[0]["labels"].items() if value == one.name)
        silence["matchers"][0]["name"] = label
        receiver.answers = [(200, json.dumps([silence]).encode(), {"Content-Type": "application/json"})]
        clock.after(60)
        assert service.round().heard == 1
        clock.after(120)
        assert service.round().heard == 0
        (one,) = answers.escalations(journal).values()
        assert (one.state, one.by) == ("acknowledged", "carol@example.com")


def test_a_broken_journal_is_told_and_tried_again(desk, capsys, monkeypatch):
    """What stops one round does not stop the service."""
    from threading import Event

    from streams.sources.errors import SourceError

    stop, rounds = Event(), []

    def round_() -> None:
        rounds.append(1)
        if len(rounds) == 2:
            stop.set()
        raise SourceError("the journal is locked", remedy="Wait.")

    monkeypatch.setattr(desk.service, "round", round_)
    desk.service.run(stop)
    assert len(rounds) == 3
    assert capsys.readouterr().err.count("error: the journal is locked") == 3


@pytest.mark.parametrize(
    ("word", "names", "found"),
    [
        ("pager", ("owners", "pager"), ("pager", ("owners",))),
        ("team:ops", ("owners", "ops"), ("ops", ("owners",))),
        ("bob", ("owners", "pager"), ("owners", ("pager",))),
        ("owners", ("pager", "watch"), ("pager", ("watch",))),
        ("owners", (), ("owners", ())),
    ],
)
def test_which_route_a_word_means(word, names, found):
    """Its own route, else that of the owners, else the first; without any, a log. The others stand in."""
    alerts = {name: Alert(name, "log") for name in names}
    assert letters.route_of(word, alerts) == found
