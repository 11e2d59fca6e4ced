"""Pictures of the page for the documentation: `python -m bench.screenshots [DIRECTORY]`, docs/images without one.

Plays the demo's story in a temporary repository up to the escalation, asks the owner as `twohand serve` would, serves the page
and lets a Chromium of this machine (Debian's package `chromium`), driven by Playwright, look at it.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from streams import answers, demo, settings
from streams.demo_story import STEPS
from streams.engines.journal import Journal
from streams.letters import routes_with_log
from streams.sources.git import Repository
from streams.timers import Timers
from streams.web.app import make_app
from streams.web.place import Place
from tests.web.browser import chromium
from tests.web.site import served

ROOT = Path(__file__).resolve().parent.parent
ESCALATED = 3  # steps of the story


class Picture(NamedTuple):
    """A file name, the address (or `change`, `link`), the size of the screen, and its colours."""

    name: str
    address: str
    width: int
    height: int
    scheme: str


PICTURES = (
    Picture("page-change.png", "change", 1100, 1130, "light"),
    Picture("page-phone.png", "change", 360, 740, "dark"),
    Picture("page-acknowledge.png", "link", 360, 560, "light"),
)


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        demo.tell(Path(scratch), lambda _: None, quiet=True, steps=STEPS[:ESCALATED])
        repo = Repository.open(Path(scratch) / "shop")
        place = Place(repo, settings.load(None, repo.common_dir, {}))
        link = _asked(place)
        with served(make_app(place)) as site:
            change = site.get("/").text.partition('href="/changes/')[2].partition('"')[0]
            _take(site.address, {"change": f"/changes/{change}", "link": link}, target)


def _asked(place: Place) -> str:
    """The owner is asked; the link that the message would hold."""
    secret = answers.secret_at(place.journal_path.parent)
    place.answers = answers.Answers(place.journal_path, secret)
    links: list[str] = []
    made = answers.linker(secret, "")
    with Journal(place.journal_path) as journal:
        alerts = routes_with_log(place.settings.alerts)
        Timers(journal, alerts, link=lambda one, by: links.append(made(one, by)) or links[-1]).run(place.now())
    return links[0]


def _take(address: str, places: dict[str, str], target: Path) -> None:
    with chromium() as browser:
        for one in PICTURES:
            page = browser.new_page(viewport={"width": one.width, "height": one.height}, color_scheme=one.scheme)
            page.goto(address + places.get(one.address, one.address))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=target / one.name)
            page.close()
            print(f"{target / one.name}: {(target / one.name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
