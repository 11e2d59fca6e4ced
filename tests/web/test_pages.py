"""What people see: the queue, one change with its reasons and its diff, rules, health; with real decisions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import demo
from streams.commands.app import run
from streams.demo_story import STEPS
from streams.metrics_text import Exporter
from streams.web.app import make_app
from tests.streams.keys import make_keys
from tests.streams.served import Served
from tests.web import world
from tests.web.reading import Page
from tests.web.site import Site, served

pytestmark = pytest.mark.xdist_group("pages")


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = make_keys(tmp_path_factory.mktemp("keys"))
    with pytest.MonkeyPatch.context() as patch:
        yield world.refused_push(tmp_path_factory.mktemp("pushed"), keys, patch)


@pytest.fixture(scope="module")
def site(pushed: Served) -> Iterator[Site]:
    with served(make_app(world.place_of(pushed.server))) as found:
        yield found


def changes(site: Site, path: str = "/") -> list[str]:
    """The addresses of the changes that a list names."""
    return [link for link in Page(site.get(path).text).links if link.startswith("/changes/")]


def read(site: Site, path: str) -> Page:
    answer = site.get(path)
    assert answer.status == 200, answer.text
    page = Page(answer.text)
    assert not page.problems
    assert len(page.names) == len(set(page.names))
    return page


def test_the_queue_says_what_waits_for_whom_since_when(site: Site) -> None:
    """Each row names what is asked, who can answer, and how long it has waited (law 41)."""
    text = read(site, "/").text
    assert "escalated" in text
    assert "an owner must answer for auth/login.py: carol" in text
    assert "Waits for carol" in text
    assert "for less than a minute (since" in text or "minutes (since" in text


def test_who_is_asked_finds_it(site: Site) -> None:
    """The queue of one person holds what waits for them and nothing else."""
    assert changes(site, "/?who=carol")
    assert not changes(site, "/?who=bob")
    assert "Nothing fits" in read(site, "/?who=bob").text


def test_a_change_shows_what_ends_the_waiting(site: Site, pushed: Served) -> None:
    """The exact command of each remedy, ready to be copied."""
    (address,) = changes(site)
    text = site.get(address).text
    command = f"twohand approve {pushed.head[:12]} --target main --as carol --push origin"
    assert f'data-copy="{command}"' in text
    assert f"<code>{command}</code>" in text


def test_a_change_shows_its_requirements_authors_and_record(site: Site) -> None:
    """Unmet with its reason, the agent with its evidence, the policy with its digest."""
    (address,) = changes(site)
    text = read(site, address).text
    assert "unmet owners 0 of 1" in text
    assert "unmet a hand 0 of 1" in text
    assert "Claude Opus 5" in text
    assert "co-author" in text
    assert "main:twohand.toml (default): escalated" in text
    assert "Now it would be escalated , for the same reasons" in text


def test_findings_stand_in_the_diff_of_objects_that_are_gone(site: Site, pushed: Served) -> None:
    """The push was refused, so git has forgotten its blobs; the journal kept them. What is removed comes first."""
    lost = pushed.work.git("rev-parse", f"{pushed.head}:auth/login.py")
    with pytest.raises(AssertionError, match=r"could not get object info|Not a valid object"):
        pushed.server.git("cat-file", "-t", lost)
    (address,) = changes(site)
    text = read(site, address).text.partition("What changed")[2]
    gone = text.index("if not user.verified:")
    assert gone < text.index("auth-check-removed") < text.index("raise PermissionDenied('nobody verified this')", gone)


def test_a_file_has_a_page_of_its_own(site: Site) -> None:
    """Without scripts a diff is one click away; when the change has moved on, it says so."""
    (address,) = changes(site)
    assert "if not user.verified:" in read(site, f"{address}/files/0").text
    assert "moved on" in read(site, f"{address}/files/0?content=ffff").text
    assert site.get(f"{address}/files/7").status == 404


def test_then_and_now_differ_once_somebody_approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided at the landing stays the headline; what would hold now stands beside it (law 38)."""
    with pytest.MonkeyPatch.context() as patch:
        pushed = world.refused_push(tmp_path, make_keys(tmp_path), patch)
        with served(make_app(world.place_of(pushed.server))) as site:
            (before,) = changes(site)
            assert pushed.push("feature").taken
            pushed.agree()
            assert pushed.push("feature:main").taken
            assert before not in changes(site)
            ended = changes(site, "/?show=ended")
            text = read(site, ended[0]).text
            assert "admitted" in text
            assert "landed just now; this is what was decided then" in text
            assert "carol approves" in text
            assert "What ends the waiting" not in text


def test_a_recused_reviewer_is_shown_with_the_axis_and_the_evidence(tmp_path: Path) -> None:
    """Which axis is the same, as whom, and on what evidence (law 23, 24)."""
    demo.tell(tmp_path, lambda _: None, quiet=True, steps=STEPS[:2])
    with served(make_app(world.place_of(world.Repo(tmp_path / "shop", init=False)))) as site:
        (address,) = changes(site)
        text = read(site, address).text
        assert "second-claude recused" in text
        assert "model same as claude: claude-opus-5 on both sides" in text
        assert "identity distinct" in text


def test_every_rule_and_code_has_a_page(site: Site) -> None:
    """Whatever a page links to as a rule, a reason or a stamp is there."""
    links = {
        link for path in ("/rules", *changes(site)) for link in read(site, path).links if link.startswith("/rules/")
    }
    assert len(links) > 60
    for link in sorted(links):
        assert site.get(link).status == 200, link


def test_no_link_leads_nowhere(site: Site) -> None:
    """Every address that the pages name answers."""
    seen: set[str] = set()
    todo = ["/", "/escalations", "/rules", "/health", "/sign-in"]
    while todo:
        path = todo.pop()
        if path in seen or path.startswith(("#", "/rules/")) or not path:
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status == 200, path
        if answer.headers["Content-Type"].startswith("text/html"):
            todo += Page(answer.text).links
    assert len(seen) > 8


def test_health_says_what_to_do(site: Site) -> None:
    """Each check with its state; what is not right with its remedy."""
    text = read(site, "/health").text
    assert "ok policy" in text
    assert "warn alert routes" in text
    assert "Add [alerts.NAME] to the settings" in text
    assert site.get("/healthz").text == '{"status": "ok"}'
    assert '"status": "ok"' in site.get("/readyz").text


def test_before_anything_is_recorded(tmp_path: Path) -> None:
    """An empty repository gives pages that say what will stand here."""
    repo = world.empty(tmp_path)
    with served(make_app(world.place_of(repo))) as site:
        assert "Nothing waits for anybody" in read(site, "/").text
        assert "Nobody was ever asked from here" in read(site, "/escalations").text
        assert "nothing is recorded yet" in read(site, "/health").text
        assert not (repo.path / ".git" / "twohand").exists()


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The page says which file, why and what to do; programs get 503."""
    repo = world.empty(tmp_path)
    world.fill(repo, [world.proposed(), world.decided()])
    (repo.path / ".git" / "twohand" / "journal.db").write_bytes(b"no journal" * 1000)
    with served(make_app(world.place_of(repo))) as site:
        answer = site.get("/")
        assert answer.status == 503
        assert "journal.db cannot be used" in Page(answer.text).text
        assert site.get("/readyz").status == 503
        assert "fail journal" in read(site, "/health").text


def test_reading_changes_nothing(site: Site, pushed: Served) -> None:
    """However often it is read, the journal holds what it held (law 40)."""
    before = pushed.server.path / "twohand" / "journal.db"
    held = before.read_bytes()
    for path in ("/", "/escalations", "/health", *changes(site)):
        read(site, path)
    assert before.read_bytes() == held


def test_news_are_told_once_there_are_some(tmp_path: Path) -> None:
    """A page that is open asks whether something new was recorded; nothing new costs no text."""
    repo = world.empty(tmp_path)
    world.fill(repo, [world.proposed(1), world.decided(1)])
    with served(make_app(world.place_of(repo))) as site:
        assert site.get("/news?since=2").status == 204
        world.fill(repo, [world.proposed(2, text="other"), world.decided(2)])
        assert "Something is new" in site.get("/news?since=2").text
        assert len(changes(site)) == 2


def test_the_command_line_tells_the_same(pushed: Served, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """`explain` and the page are two renderings of one record."""
    (address,) = changes(site)
    assert run(["explain", address.rpartition("/")[2], "-C", str(pushed.server.path)]) == 0
    said = capsys.readouterr().out
    assert "an owner must answer for auth/login.py: carol" in said


def test_metrics_are_there_where_somebody_counts(tmp_path: Path) -> None:
    """The text that the exporter gives, as Prometheus reads it; without one there is no such address."""
    place = world.place_of(world.empty(tmp_path))
    with served(make_app(place, metrics=Exporter(place.journal_path))) as site:
        answer = site.get("/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "# HELP twohand_" in answer.text
    with served(make_app(place)) as site:
        assert site.get("/metrics").status == 404


def test_what_is_admitted_may_be_pushed(tmp_path: Path) -> None:
    """Before it has landed, an admitted change says that nothing is missing."""
    demo.tell(tmp_path, lambda _: None, quiet=True, steps=STEPS[:4])
    with served(make_app(world.place_of(world.Repo(tmp_path / "shop", init=False)))) as site:
        assert not changes(site)
        (address,) = changes(site, "/?show=ended")[:1]
        text = read(site, address).text
        assert "admitted" in text
        assert "Nothing is missing: push or merge as usual." in text
        assert "What ends the waiting" not in text
