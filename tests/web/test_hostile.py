"""Names, paths, diffs and statements that try to take the page over: none becomes more than text."""

from pathlib import Path
from urllib.parse import quote

import pytest

from rules import paths
from streams.web.app import make_app
from tests.web import world
from tests.web.corpus import CORPUS
from tests.web.reading import Page
from tests.web.site import Site, served

pytestmark = pytest.mark.xdist_group("hostile")

CHANGE = world.hexed(1)
PAGES = ("/", "/?show=all", "/?show=ended", f"/changes/{CHANGE}", f"/changes/{CHANGE}/files/0", "/escalations")
UNSEEN = ("\x1b", "\x07", "\x00", "\u202e", "\u2066", "\u2069", "\u200b", "\ufeff", "\r")


@pytest.fixture(scope="module", params=range(len(CORPUS)), ids=lambda at: ascii(CORPUS[at])[:40])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, str]:
    text = CORPUS[request.param]
    repo = world.empty(tmp_path_factory.mktemp("repo"))
    world.fill(repo, world.hostile(text, paths.quote(text.encode("utf-8", "surrogateescape"))))
    with served(make_app(world.place_of(repo, now=world.NOW))) as site:
        yield site, text


def test_it_stays_text_on_every_page(hostile: tuple[Site, str]) -> None:
    """Only our elements, our attributes and our addresses; what shows nothing is written as an escape."""
    site, _ = hostile
    for path in PAGES:
        answer = site.get(path)
        assert answer.status == 200, path
        assert not Page(answer.text).problems, path
        assert not [character for character in UNSEEN if character in answer.text], path


def test_it_can_still_be_read(hostile: tuple[Site, str]) -> None:
    """A path is shown as what it is, its printable characters unchanged."""
    site, text = hostile
    if text.isprintable() and text.isascii():
        assert " ".join(text.split()) in Page(site.get(f"/changes/{CHANGE}").text).text


def test_no_header_is_made_of_it(hostile: tuple[Site, str]) -> None:
    """No answer has a header that somebody else wrote."""
    site, _ = hostile
    assert all("Set-Cookie" not in site.get(path).headers for path in PAGES)


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: ascii(text)[:40])
def test_what_somebody_looks_for_stays_text(plain: Site, text: str) -> None:
    """Addresses with hostile questions and names give pages like any other."""
    name = quote(text, safe="", errors="surrogateescape")
    for path in (
        f"/?text={name}&who={name}&show={name}&page={name}",
        f"/changes/{name}",
        f"/rules/{name}",
        f"/sign-in?next={name}",
        f"/ack/{name}",
    ):
        answer = plain.get(path)
        assert answer.status in (200, 404), path
        if answer.headers["Content-Type"].startswith("text/html"):
            assert not Page(answer.text).problems, path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    repo = world.empty(tmp_path_factory.mktemp("plain"))
    with served(make_app(world.place_of(repo), token=world.TOKEN)) as site:
        yield site


def test_a_diff_is_harmless_line_by_line(tmp_path: Path) -> None:
    """The content of a file, removed and added, is text like everything else."""
    repo = world.empty(tmp_path)
    lines = [text for text in CORPUS if "\0" not in text]  # a NUL makes it a binary
    old = repo.git("hash-object", "-w", "--stdin", stdin="\n".join(lines).encode("utf-8", "surrogateescape"))
    new = repo.git(
        "hash-object",
        "-w",
        "--stdin",
        stdin="\n".join(reversed(lines)).encode("utf-8", "surrogateescape") + b"\xff\xfe\x80\n",
    )
    file = world.FileChange("src/a.html", "100644", old, "100755", new, 1, 1)
    world.fill(repo, [world.proposed(files=(file,)), world.decided()])
    with served(make_app(world.place_of(repo))) as site:
        for path in (f"/changes/{CHANGE}", f"/changes/{CHANGE}/files/0"):
            answer = site.get(path)
            page = Page(answer.text)
            assert not page.problems
            assert not [character for character in UNSEEN if character in answer.text]
            assert "<script>alert(1)</script>" in page.text
            assert "\\xff\\xfe\\x80" in page.text
            assert "mode 100644 became 100755" in page.text
