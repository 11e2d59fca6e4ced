"""Who may read, who may answer, and what no other page may do in their name."""

import pytest

from rules.policy import Policy
from streams import settings
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.web.app import make_app
from streams.web.guard import stays_here
from streams.web.place import Offer, Place
from streams.web.sessions import COOKIE, LASTS, TRIES, Sessions, TokenTooShort
from tests.gitrepo import Repo
from tests.streams.keys import make_keys
from tests.streams.served import POLICY
from tests.web import world
from tests.web.reading import Page
from tests.web.site import Site, served

pytestmark = pytest.mark.xdist_group("security")

ESCALATION = world.hexed(1)
ACKNOWLEDGE = f"/escalations/{ESCALATION}/acknowledge"


class Heard:
    """The timers' part: remembers what it was told, and knows one link that works once."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.used = False

    def acknowledge(self, escalation: str, by: str) -> None:
        if escalation != ESCALATION:
            raise SourceError("No such escalation.", remedy="`twohand escalation list` shows them.")
        self.told.append((escalation, by))

    def offered(self, link: str) -> Offer:
        if link != "good" or self.used:
            raise SourceError("This link acknowledges nothing: it was used.", remedy="Use the newest message.")
        return Offer(ESCALATION, world.hexed(1), "alice")

    def use(self, link: str) -> Offer:
        offer = self.offered(link)
        self.used = True
        self.told.append((offer.escalation, offer.by))
        return offer


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    root = tmp_path_factory.mktemp("repo")
    keys = make_keys(tmp_path_factory.mktemp("keys"))
    made = world.empty(root)
    made.write(
        "twohand.toml",
        POLICY.format(**{name: (keys / f"{name}.pub").read_text().strip() for name in ("alice", "bob", "carol")}),
    )
    made.commit("A policy")
    world.fill(made, [world.proposed(), world.decided(), world.opened()])
    return made


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def site(repo: Repo, heard: Heard) -> Site:
    with served(make_app(world.place_of(repo, answers=heard), token=world.TOKEN)) as found:
        yield found


def form_of(site: Site) -> str:
    return site.get("/escalations").text.partition('name="form" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "path", ["/", "/rules", "/nowhere", "/healthz", "/static/page.js", f"/changes/{world.hexed(1)}"]
)
def test_every_answer_says_what_a_browser_may_do(site: Site, path: str) -> None:
    """Nothing from elsewhere, nothing inline, no frame, no guessing of types; pages are kept nowhere."""
    headers = site.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Server"] == "twohand"
    assert headers["Cache-Control"] == ("public, max-age=3600" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:80", 200), ("10.1.2.3", 200), ("evil.example", 421),
     ("localhost.evil.example", 421), ("127.0.0.1.nip.example", 421), ("", 421), ("[", 421), ("a b", 421)],
)  # fmt: skip
def test_a_foreign_name_gets_nothing(site: Site, host: str, status: int) -> None:
    """A name that somebody pointed at this machine is not ours (DNS rebinding)."""
    answer = site.get("/", Host=host or " ")
    assert answer.status == status
    assert status == 200 or "feature" not in answer.text


def test_the_name_in_the_settings_is_ours(repo: Repo) -> None:
    """`[serve] url` is the name behind which a proxy stands."""
    found = settings.Settings(url="https://gate.example:8443/twohand")
    with served(make_app(Place(Repository.open(repo.path), found), token=world.TOKEN)) as site:
        assert site.get("/healthz", Host="gate.example").status == 200
        assert site.get("/healthz", Host="other.example").status == 421


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
     {"Origin": "", "Sec_Fetch_Site": "same-site"}, {"Origin": "http://127.0.0.1:1"}],
)  # fmt: skip
def test_forms_of_other_pages_are_refused(site: Site, heard: Heard, headers: dict[str, str]) -> None:
    """Also with the right session and the right form token, and for links (CSRF)."""
    site.sign_in("alice", world.TOKEN)
    form = {"form": form_of(site)}
    for path in (ACKNOWLEDGE, "/ack/good", "/sign-in", "/sign-out"):
        assert site.post(path, form, **headers).status == 403
    assert not heard.told


def test_what_the_browser_says_of_itself_suffices(site: Site, heard: Heard) -> None:
    """Some browsers hide the origin and name the relation instead."""
    assert site.post("/ack/good", {}, Origin="", Sec_Fetch_Site="same-origin").status == 200
    assert heard.told


def test_without_a_session_everything_is_read_and_nothing_changed(site: Site, heard: Heard) -> None:
    """Reading needs no token on this machine; acknowledging leads to the sign-in."""
    assert "feature" not in site.get("/sign-in").text
    assert site.get("/").status == 200
    assert "<button>Acknowledge" not in site.get("/escalations").text
    answer = site.post(ACKNOWLEDGE, {})
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert not heard.told


def test_who_is_signed_in_acknowledges_in_their_own_name(site: Site, heard: Heard) -> None:
    """The name comes from the session, whatever a form says."""
    assert site.sign_in("alice", world.TOKEN).status == 303
    assert "Acknowledge as alice" in Page(site.get("/escalations").text).text
    answer = site.post(ACKNOWLEDGE, {"form": form_of(site), "name": "bob", "by": "bob"})
    assert (answer.status, answer.headers["Location"]) == (303, "/escalations")
    assert heard.told == [(ESCALATION, "alice")]


def test_a_refusal_of_the_timers_is_told(site: Site) -> None:
    """What they say is wrong, and what to do (law 41)."""
    site.sign_in("alice", world.TOKEN)
    answer = site.post("/escalations/other/acknowledge", {"form": form_of(site)})
    assert answer.status == 409
    assert "No such escalation." in Page(answer.text).text


@pytest.mark.parametrize("form", ["", "x", "alice", "\u00e9"])
def test_a_form_of_another_session_does_nothing(site: Site, heard: Heard, form: str) -> None:
    """The session's own token has to come back."""
    site.sign_in("alice", world.TOKEN)
    assert site.post(ACKNOWLEDGE, {"form": form}).status == 403
    assert not heard.told


def test_the_cookie_is_for_this_page_alone(site: Site) -> None:
    """Not for scripts, not for other sites; behind TLS, for TLS alone."""
    cookie = site.sign_in("alice", world.TOKEN).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LASTS}"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    form = {"name": "alice", "token": world.TOKEN}
    assert "Secure" in site.post("/sign-in", form, X_Forwarded_Proto="https").headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("name", "token"),
    [("alice", "wrong"), ("alice", ""), ("", world.TOKEN), ("mallory", world.TOKEN), ("alice", "\u00e9" * 20)],
)
def test_only_enrolled_people_with_the_token_sign_in(site: Site, name: str, token: str) -> None:
    """A wrong token and a name that nobody enrolled give the form again."""
    answer = site.post("/sign-in", {"name": name, "token": token})
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


def test_signing_out_ends_the_session(site: Site) -> None:
    """The cookie is worth nothing afterwards, wherever it was copied."""
    site.sign_in("alice", world.TOKEN)
    kept = site.cookie
    assert site.post("/sign-out", {"form": form_of(site)}).status == 303
    site.cookie = kept
    assert "Sign out" not in site.get("/").text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "/\r\nSet-Cookie: a=b", "\u202e/"]
)
def test_after_signing_in_nobody_is_led_away(site: Site, address: str) -> None:
    """The address to go on to is a page of ours."""
    answer = site.post("/sign-in", {"name": "alice", "token": world.TOKEN, "next": address})
    assert answer.headers["Location"] == "/"


def test_a_session_ends_by_itself_and_guessing_is_slowed() -> None:
    """After twelve hours; after ten wrong tokens in a minute even the right one waits."""
    now = [0.0]
    sessions = Sessions(world.TOKEN, clock=lambda: now[0])
    cookie = sessions.sign_in(world.TOKEN, "alice")
    assert sessions.find(cookie).name == "alice"
    now[0] = float(LASTS)
    assert sessions.find(cookie) is None
    for _ in range(TRIES):
        assert sessions.sign_in("wrong", "alice") is None
    assert sessions.sign_in(world.TOKEN, "alice") is None
    now[0] += 61
    assert sessions.sign_in(world.TOKEN, "alice")


def test_a_token_that_can_be_guessed_is_refused() -> None:
    """And without one nobody signs in, also not with an empty one."""
    with pytest.raises(TokenTooShort, match="6 characters"):
        Sessions("secret")
    assert Sessions("").sign_in("", "alice") is None


def test_a_link_is_used_by_a_click_not_by_being_opened(site: Site, heard: Heard) -> None:
    """Programs that look at mail open links; only the button acknowledges, and only once."""
    for _ in range(2):
        text = Page(site.get("/ack/good").text).text
        assert "Acknowledge as alice" in text
        assert "It approves nothing" in text
    assert not heard.told
    assert "acknowledged by alice" in Page(site.post("/ack/good", {}).text).text
    again = site.post("/ack/good", {})
    assert again.status == 410
    assert "it was used" in Page(again.text).text
    assert heard.told == [(ESCALATION, "alice")]


@pytest.mark.parametrize("link", ["bad", "good.", "a" * 3000, "%00", "..%2f..%2fchanges"])
def test_a_wrong_link_opens_nothing(site: Site, heard: Heard, link: str) -> None:
    """Whatever it holds, the answer is a page that says so."""
    assert site.get(f"/ack/{link}").status == 410
    assert site.post(f"/ack/{link}", {}).status == 410
    assert not heard.told


@pytest.mark.parametrize(
    ("listen", "url", "here"),
    [("127.0.0.1:8460", "", True), ("[::1]:8460", "", True), ("localhost:8460", "http://127.0.0.1:8460", True),
     ("0.0.0.0:8460", "", False), ("127.0.0.1:8460", "https://gate.example", False), ("gate.internal:80", "", False)],
)  # fmt: skip
def test_beyond_this_machine_reading_takes_a_session(
    repo: Repo, heard: Heard, listen: str, url: str, here: bool
) -> None:
    """Contents of a repository are not for everybody who can reach a port; links work for whom they were sent to."""
    assert stays_here(listen, url) == here
    place = Place(Repository.open(repo.path), settings.Settings(listen=listen, url=url), answers=heard)
    with served(make_app(place, token=world.TOKEN)) as site:
        for path in ("/", f"/changes/{world.hexed(1)}", "/escalations", "/health", "/news?since=0", "/rules"):
            assert site.get(path).status == (200 if here else 303), path
        for path in ("/sign-in", "/ack/good", "/healthz", "/static/page.css"):
            assert site.get(path).status == 200, path
        site.sign_in("alice", world.TOKEN)
        assert site.get("/").status == 200


def test_no_large_form_and_no_other_verb(site: Site) -> None:
    """16 KiB is more than any form here holds; what an address does not know it refuses."""
    assert site.post("/sign-in", {"token": "x" * 50_000}).status == 413
    assert site.post("/", {}).status == 405
    assert site.post("/changes/1", {}).status == 405


def test_what_breaks_down_inside_stays_inside(repo: Repo) -> None:
    """An answer without a trace of where it happened."""

    class Broken(Place):
        def policies(self) -> tuple[Policy, ...]:
            raise RuntimeError("at /secret/place")

    place = Broken(Repository.open(repo.path), settings.Settings())
    with served(make_app(place, token=world.TOKEN)) as site:
        answer = site.get("/health")
        assert answer.status == 500
        assert "secret" not in answer.text
        assert "twohand doctor" in answer.text


def test_only_what_is_read_and_answered_is_there(repo: Repo) -> None:
    """No address approves, waives, or withdraws anything: that takes a key (law 17, 20)."""
    app = make_app(world.place_of(repo), token=world.TOKEN)
    changing = {
        route.resource.canonical
        for route in app.router.routes()
        if route.method not in ("GET", "HEAD") and route.resource
    }
    assert changing == {"/sign-in", "/sign-out", "/escalations/{escalation}/acknowledge", "/ack/{link}"}
    assert COOKIE == "twohand_session"
