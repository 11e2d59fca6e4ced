"""Every site may read the answers."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_ANY = (
    rb"(?i)access-control-allow-origin[\"']?\s*\]?\s*(?:[,:=]|=>)\s*[\"']\*|CORS_(?:ORIGIN_ALLOW_ALL|ALLOW_ALL_ORIGINS)\s*=\s*true|\ballow_?origins?[\"']?\s*(?:=>|[=:(,])\s*[\[({]?\s*[\"']\*|"
    rb"\borigins?[\"']?\s*(?:=>|[=:])?\s*\[?\s*[\"']\*[\"']|\bAllowAllOrigins\s*[:=]\s*true|\bAllowAnyOrigin\(|\.allowedOrigin(?:s|Patterns)\(\s*[\"']\*|@CrossOrigin\(\s*(?:origins\s*=\s*)?[\"']\*|"
    rb"\bAllowed?Origins\s*[:=]\s*(?:\[\]string\s*)?\{?\s*[\"']\*|\borigins?\s*:\s*true\b|\bsupports_credentials\s*=\s*true[^\n]{0,60}origins=\*"
)
_ECHO = (
    rb"(?i)access-control-allow-origin[\"']?\s*\]?\s*(?:[,:=]|=>)\s*(?:req(?:uest)?\b[^\n]{0,40}origin|[\w.]*getHeader\([\"']origin|r\.Header\.Get\([\"']origin|\$_SERVER\[[\"']HTTP_ORIGIN|origin\b)|"
    rb"\bAllowOriginFunc\s*:\s*func\([^)]*\)\s*(?:bool\s*)?\{\s*return true"
)
_CREDENTIALS = (
    rb"(?i)access-control-allow-credentials[\"']?\s*\]?\s*(?:[,:=]|=>)\s*[\"']?true|\ballow_?credentials[\"']?\s*(?:=>|[=:(])\s*true|\bcredentials[\"']?\s*:\s*true|"
    rb"\bAllowCredentials\(\)|supports_credentials[\"']?\s*(?:=>|[=:])\s*true|CORS_ALLOW_CREDENTIALS\s*=\s*true|\bcredentials true"
)
_NEAR = 25  # lines


class CorsAnyOrigin(Rule):
    """Every site may read the answers.

    ## What it does
    Finds answers that newly allow any origin (`*`), or echo whatever origin asks. Together with credentials in the lines around it, it is a
    hold; without them a note.

    ## Why it matters
    With credentials, any page that a logged-in person opens can read what that person may read.

    ## Example
    `allow_origins=["*"], allow_credentials=True`, added because a front end could not reach the service.

    ## What to do instead
    List the origins. Where every site may read, send no credentials.
    """

    id, slug, tier, since = "TH204", "cors-any-origin", Tier.HOLD, "0.1"
    triggers: ClassVar = (_ANY, _ECHO, _CREDENTIALS)

    HOLDS: ClassVar = (
        Diff("app/main.py", "x = 1\n", 'add(CORS, allow_origins=["*"], allow_credentials=True)\n'),
        Diff("src/a.js", "f()\n", "use(cors({ origin: true, credentials: true }))\n"),
        Diff(
            "app/main.py",
            'add(CORS, allow_origins=["*"])\n',
            'add(CORS, allow_origins=["*"],\n    allow_credentials=True)\n',
        ),
    )
    PASSES: ClassVar = (
        Diff("app/main.py", "x = 1\n", 'add(CORS, allow_origins=["*"])\n'),
        Diff("app/main.py", "x = 1\n", 'add(CORS, allow_origins=["https://a.example"], allow_credentials=True)\n'),
        Diff("tests/a.js", "", "use(cors({ origin: '*', credentials: true }))\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """A new open origin, or new credentials beside one."""
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        for text in (_ANY, _ECHO):
            for line, what in switches.on(edit, text):
                paired = found(_CREDENTIALS, _around(edit, line.number))
                said = (
                    "every site may read these answers with the cookies of whoever visits it"
                    if paired
                    else "every site may read these answers"
                )
                yield self.came(edit, line.number, f"`{visible(what)}`: {said}", tier=tier if paired else Tier.NOTE)
        for line, what in switches.on(edit, _CREDENTIALS):
            around = _around(edit, line.number)
            if (found(_ANY, around) or found(_ECHO, around)) and not found(_ANY, line.text):
                message = f"`{visible(what)}`: every site may read these answers with the cookies of whoever visits it"
                yield self.came(edit, line.number, message, tier=tier)


def _around(edit: Edit, number: int) -> bytes:
    return b"\n".join(line[:1000] for line in edit.new.lines[max(number - _NEAR, 0) : number + _NEAR])
