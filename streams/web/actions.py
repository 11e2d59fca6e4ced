"""What can be done from a page: sign in and out, and acknowledge. Nothing here approves anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from streams.sources.errors import SourceError
from streams.web import pages
from streams.web.pages import NotThere
from streams.web.sessions import COOKIE, LASTS, matches

if TYPE_CHECKING:
    from streams.web.ledger import Standing
    from streams.web.pages import Asked
    from streams.web.place import Offer, Place
    from streams.web.sessions import Sessions


class Actions:
    """The handlers that change something."""

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self._place = place
        self._sessions = sessions

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """A session for who knows the token and is enrolled."""
        form = await request.post()
        token, name = str(form.get("token", "")), str(form.get("name", ""))
        asked = pages.of_request(self._place, self._sessions, request)
        people = await asyncio.to_thread(self._place.people)
        known = name in people
        cookie = self._sessions.sign_in(token, name) if known else None
        after = pages.safe_next(str(form.get("next", "")))
        if cookie is None:
            wrong = "The token is not right." if known else "Choose who you are; only enrolled people can acknowledge."
            values = {"tab": "", "people": people, "wrong": wrong, "next": after}
            return pages.html(asked, "sign_in.html", values, 403)
        response = web.HTTPSeeOther(after)
        response.set_cookie(COOKIE, cookie, max_age=LASTS, httponly=True, samesite="Strict", secure=_encrypted(request))
        raise response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        await self._session(request)
        self._sessions.sign_out(request.cookies.get(COOKIE, ""))
        response = web.HTTPSeeOther("/")
        response.del_cookie(COOKIE)
        raise response

    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        """In the name of who is signed in."""
        asked = await self._session(request)
        answers, session = self._place.answers, asked.session
        if answers is None or session is None:
            raise web.HTTPNotFound
        try:
            await asyncio.to_thread(answers.acknowledge, request.match_info["escalation"], session.name)
        except SourceError as error:
            return pages.problem(asked, 409, error.message, error.remedy)
        raise web.HTTPSeeOther(pages.safe_next(str((await request.post()).get("next", "/escalations"))))

    async def link(self, request: web.Request) -> web.StreamResponse:
        """What a signed link would acknowledge; opening it uses nothing up."""
        asked = pages.of_request(self._place, self._sessions, request)
        return await asyncio.to_thread(self._offered, asked)

    def _offered(self, asked: Asked) -> web.Response:
        answers = self._place.answers
        if answers is None:
            return pages.problem(asked, 404, "Nobody is paged from here, so there is nothing to acknowledge.", "")
        try:
            offer = answers.offered(asked.parts["link"])
            about = self._about(offer)
        except NotThere as error:
            return pages.problem(asked, 404, str(error), "")
        except SourceError as error:
            return pages.problem(asked, 410, error.message, error.remedy)
        return pages.html(asked, "link.html", {"tab": "", "link": asked.parts["link"], **about})

    def _about(self, offer: Offer) -> dict[str, Any]:
        with self._place.journal() as journal:
            standing = self._place.standing(journal)
        return {"offer": offer, "entry": standing.entries.get(offer.change), "one": _escalation(standing, offer)}

    async def use_link(self, request: web.Request) -> web.StreamResponse:
        """Acknowledge by a link; whoever holds it needs no session."""
        asked = pages.of_request(self._place, self._sessions, request)
        answers = self._place.answers
        if answers is None:
            raise web.HTTPNotFound
        try:
            offer = await asyncio.to_thread(answers.use, request.match_info["link"])
        except SourceError as error:
            return pages.problem(asked, 410, error.message, error.remedy)
        return await asyncio.to_thread(self._heard, asked, offer)

    def _heard(self, asked: Asked, offer: Offer) -> web.Response:
        return pages.html(asked, "link.html", {"tab": "", "link": "", **self._about(offer)})

    async def _session(self, request: web.Request) -> Asked:
        """Only with a session, and only a form that this session was given."""
        asked = pages.of_request(self._place, self._sessions, request)
        if asked.session is None:
            raise web.HTTPSeeOther("/sign-in")
        form = await request.post()
        if not matches(asked.session, str(form.get("form", ""))):
            raise web.HTTPForbidden(text="This form is not of your session. Open the page again and repeat it.\n")
        return asked


def _escalation(standing: Standing, offer: Offer) -> Any:
    found = standing.escalations.get(offer.escalation)
    if found is None:
        raise NotThere("This escalation is not recorded here.")
    return found


def _encrypted(request: web.Request) -> bool:
    """Whether the browser came over TLS; a proxy in front of us says so."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "") == "https"
