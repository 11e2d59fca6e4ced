"""The pages in a real browser: phone and desk, light and dark, by keyboard, with and without scripts, and axe's verdict."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rules import paths
from streams import answers
from streams.engines.journal import Journal
from streams.settings import Alert
from streams.timers import Timers
from streams.web.app import make_app
from tests.streams.keys import make_keys
from tests.web import browser, world
from tests.web.corpus import CORPUS
from tests.web.reading import Page as Read
from tests.web.site import Site, served

pytestmark = pytest.mark.xdist_group("browser")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

browser.needed()
NAMES = ("queue", "change", "file", "escalations", "rules", "rule", "health", "sign-in", "link", "lost")
SERIOUS = ("serious", "critical")


class World:
    """A server that refused a push and asked its owner; `paths` are the addresses of its pages."""

    def __init__(self, site: Site, journal: Path, link: str) -> None:
        self.site, self.journal = site, journal
        change = next(one for one in Read(site.get("/").text).links if one.startswith("/changes/"))
        self.paths = {
            "queue": "/", "change": change, "file": f"{change}/files/0", "escalations": "/escalations", "rules": "/rules",
            "rule": "/rules/auth-check-removed", "health": "/health", "sign-in": "/sign-in", "link": link, "lost": "/changes/nothing",
        }  # fmt: skip

    def address(self, name: str) -> str:
        return self.site.address + self.paths[name]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    keys = make_keys(tmp_path_factory.mktemp("keys"))
    with pytest.MonkeyPatch.context() as patch:
        pushed = world.refused_push(tmp_path_factory.mktemp("pushed"), keys, patch)
    place = world.place_of(pushed.server)
    links: list[str] = []
    secret = answers.secret_at(place.journal_path.parent)
    with Journal(place.journal_path) as journal:
        made = answers.linker(secret, "")
        timers = Timers(
            journal, {"log": Alert("log", "log")}, link=lambda one, by: links.append(made(one, by)) or links[-1]
        )
        timers.run(place.now())
    place.answers = answers.Answers(place.journal_path, secret)
    with served(make_app(place, token=world.TOKEN)) as site:
        yield World(site, place.journal_path, links[0])


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with browser.chromium() as found:
        yield found


@pytest.fixture(
    params=browser.ALL_LOOKS if os.environ.get(browser.EVERYTHING) else browser.LOOKS,
    ids=lambda one: f"{one[0]}-{one[1]}",
)
def context(chromium: "Browser", request: pytest.FixtureRequest) -> Iterator["BrowserContext"]:
    width, scheme = request.param
    made = chromium.new_context(viewport={"width": width, "height": 780}, color_scheme=scheme)
    yield made
    made.close()


@pytest.fixture
def phone(chromium: "Browser") -> Iterator["Page"]:
    made = chromium.new_context(viewport={"width": 360, "height": 640}, has_touch=True)
    yield made.new_page()
    made.close()


def complaints(page: "Page") -> list[str]:
    """What the console says from now on, but for the status of a page that is not there."""
    heard: list[str] = []
    page.on(
        "console",
        lambda message: (
            heard.append(message.text) if message.type in ("error", "warning") and "404" not in message.text else None
        ),
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def test_every_page_fits_and_nothing_complains(here: World, context: "BrowserContext") -> None:
    """No error in the console, nothing refused by the content policy, nothing wider than the screen."""
    page = context.new_page()
    heard = complaints(page)
    for name in NAMES:
        page.goto(here.address(name))
        page.wait_for_load_state("networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], name
        assert not heard, name


def test_axe_finds_nothing_serious(
    here: World, context: "BrowserContext", tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Contrast, names, structure, landmarks: with everything opened that can be opened."""
    source = browser.axe(_cache(tmp_path_factory))
    page = context.new_page()
    for name in NAMES:
        page.goto(here.address(name))
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.evaluate(source)
        found: list[dict[str, Any]] = page.evaluate("axe.run().then((result) => result.violations)")
        serious = [
            (one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS
        ]
        assert not serious, name


def _cache(factory: pytest.TempPathFactory) -> Path:
    made = factory.getbasetemp() / "axe"
    made.mkdir(exist_ok=True)
    return made


def test_fingers_hit_what_they_aim_at(here: World, phone: "Page") -> None:
    """Buttons, tabs and fields are at least 44 pixels high on a phone."""
    for name in ("queue", "change", "link", "sign-in", "escalations"):
        phone.goto(here.address(name))
        for one in phone.locator("button:visible, input:visible, select:visible, nav a:visible").all():
            box = one.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (name, one.inner_text())


def test_the_keyboard_reaches_everything(here: World, chromium: "Browser") -> None:
    """From the first Tab on: past the navigation, into the list, to a change, and to its command; focus can be seen."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(here.address("queue"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.changes') !== null"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{here.paths['change']}")
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.copy !== undefined"):
            break
    assert page.evaluate("document.activeElement.dataset.copy").startswith("twohand ")
    page.close()


def test_a_command_is_copied_as_it_stands(here: World, chromium: "Browser") -> None:
    """The button puts the exact command on the clipboard and says so to who cannot see it."""
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=here.site.address)
    page = context.new_page()
    page.goto(here.address("change"))
    button = page.locator("button.copy").first
    button.click()
    page.wait_for_function("document.getElementById('said').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
    context.close()


def test_a_diff_comes_when_its_file_is_opened(here: World, chromium: "Browser", tmp_path: Path) -> None:
    """Files without findings are fetched on demand; without scripts a link leads to the same."""
    repo = world.empty(tmp_path)
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"kept\n")
    other = repo.git("hash-object", "-w", "--stdin", stdin=b"kept\nnew line\n")
    files = tuple(world.FileChange(f"src/{name}.py", "100644", blob, "100644", other, 1, 0) for name in "ab")
    world.fill(repo, [world.proposed(files=files), world.decided()])
    with served(make_app(world.place_of(repo))) as site:
        page = chromium.new_page()
        heard = complaints(page)
        page.goto(f"{site.address}/changes/{world.hexed(1)}")
        assert page.locator("ins").count() == 0
        page.locator("summary", has_text="src/b.py").click()
        page.locator("ins", has_text="new line").wait_for()
        assert page.locator("ins").count() == 1
        assert not heard
        page.close()
        still = chromium.new_context(java_script_enabled=False).new_page()
        still.goto(f"{site.address}/changes/{world.hexed(1)}")
        still.locator("summary", has_text="src/b.py").click()
        still.get_by_role("link", name="Open the diff of src/b.py").click()
        assert still.locator("ins", has_text="new line").count() == 1
        assert still.locator("button.copy:visible").count() == 0
        still.context.close()


def test_news_appear_in_an_open_page(here: World, chromium: "Browser", tmp_path: Path) -> None:
    """What was recorded meanwhile is offered, not forced on who reads."""
    repo = world.empty(tmp_path)
    world.fill(repo, [world.proposed(1), world.decided(1)])
    with served(make_app(world.place_of(repo))) as site:
        page = chromium.new_page()
        page.goto(site.address)
        world.fill(repo, [world.proposed(2, text="other"), world.decided(2)])
        page.evaluate(
            "htmx.trigger('[hx-get^=\"/news\"]', 'every'), htmx.ajax('GET', document.querySelector('[hx-get]').getAttribute('hx-get'), document.querySelector('[hx-get]'))"
        )
        page.get_by_role("link", name="Something is new").click()
        page.get_by_role("link", name="work-2").wait_for()
        page.close()


def test_nothing_that_others_wrote_runs(chromium: "Browser", tmp_path: Path) -> None:
    """Every text of the corpus, everywhere in its change: no dialog, no request elsewhere, nothing for the content policy to stop."""
    repo = world.empty(tmp_path)
    for number, text in enumerate(CORPUS, 1):
        world.fill(repo, world.hostile(text, paths.quote(text.encode("utf-8", "surrogateescape")), number))
    with served(make_app(world.place_of(repo, now=world.NOW))) as site:
        page = chromium.new_page()
        heard, asked, dialogs = complaints(page), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        addresses = [f"/changes/{world.hexed(number)}" for number in range(1, len(CORPUS) + 1)]
        for address in ("/", "/?show=all&page=2", "/escalations", "/escalations?page=2", *addresses):
            page.goto(site.address + address)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.wait_for_load_state("networkidle")
        page.close()
        assert not heard
        assert not dialogs
        assert all(url.startswith(site.address) for url in asked)


def test_the_owner_acknowledges_from_a_phone(here: World, phone: "Page") -> None:
    """The link of a message: one tap, no password; it says what it did, and works once."""
    phone.goto(here.address("escalations"))
    assert "the next page is due in " in phone.inner_text("main")
    phone.goto(here.address("link"))
    assert "an owner must answer for auth/login.py: carol" in phone.inner_text("main")
    phone.get_by_role("button", name="Acknowledge as carol").tap()
    phone.get_by_text("acknowledged by carol").wait_for()
    phone.goto(here.address("escalations"))
    assert "by carol just now" in phone.inner_text("main")
    phone.goto(here.address("change"))
    assert "message through log" in phone.inner_text("main")
    phone.goto(here.address("link"))
    assert "This link opens nothing" in phone.inner_text("h1")


def test_signing_in_and_out(here: World, phone: "Page") -> None:
    """With the token and one's name; a wrong token says so and keeps nothing."""
    phone.goto(here.address("sign-in"))
    phone.select_option("#name", "bob")
    phone.fill("#token", "wrong")
    phone.get_by_role("button", name="Sign in").click()
    assert "The token is not right" in phone.inner_text("[role=alert]")
    phone.select_option("#name", "bob")
    phone.fill("#token", world.TOKEN)
    phone.get_by_role("button", name="Sign in").click()
    phone.get_by_role("button", name="Sign out").click()
    phone.get_by_role("link", name="Sign in").wait_for()
