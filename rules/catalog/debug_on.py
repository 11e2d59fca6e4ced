"""Settings that show strangers the inside."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_ON = (
    rb"(?im)^\s*(?:export\s+|-\s+|ENV\s+)?[\"']?(?:DEBUG|APP_DEBUG|FLASK_DEBUG|DJANGO_DEBUG|WP_DEBUG_DISPLAY)[\"']?\s*[=:]\s*[\"']?(?:true|1|on|yes)\b|\.run\([^\n]{0,100}\bdebug\s*=\s*true|\bapp\.debug\s*=\s*true|"
    rb"\bdisplay_errors[\"']?\s*[=,]\s*[\"']?(?:1|on|true)\b|\bconsider_all_requests_local\s*=\s*true|\bcustomErrors\s+mode=[\"']off|<compilation[^>\n]{0,60}debug=[\"']true|\bALLOWED_HOSTS\s*=\s*\[\s*[\"']\*|"
    rb"\bserver\.error\.include-stacktrace\s*[=:]\s*always|\bmanagement\.endpoints\.web\.exposure\.include\s*[=:]\s*[\"']?\*|\bUseDeveloperExceptionPage\(|\bgin\.SetMode\(gin\.DebugMode|\bFLASK_ENV\s*[=:]\s*[\"']?development"
)
_LOCAL = rb"(?i)(?:^|[/_.-])(?:dev|devel|development|local|debug|sample|example|playground|sandbox|test|testing|ci|docker-compose|compose|vscode|demo|e2e)(?:[/_.-]|$)"
_LIVE = rb"(?i)prod|live|deploy|release|staging|settings|config|helm|k8s|values|\.env$|wsgi|asgi|web\.config|application\.(?:ya?ml|properties)|php\.ini|dockerfile"


class DebugOn(Rule):
    """Settings that show strangers the inside.

    ## What it does
    Finds debug modes, error pages with stack traces, open management endpoints and `ALLOWED_HOSTS = ["*"]` that are new. In settings of
    production it is a hold; elsewhere, and in files for development by their names, a note.

    ## Why it matters
    A stack trace shows settings and queries, and some debuggers run what is typed into them.

    ## Example
    `DEBUG = True` stays in `settings.py` after an afternoon of searching.

    ## What to do instead
    Read the switch from the environment, with off as its default.
    """

    id, slug, tier, since = "TH207", "debug-on", Tier.HOLD, "0.1"
    triggers: ClassVar = (_ON,)

    HOLDS: ClassVar = (
        Diff("app/settings.py", "DEBUG = False\n", "DEBUG = True\n"),
        Diff("config/environments/production.rb", "a = 1\n", "config.consider_all_requests_local = true\n"),
        Diff("deploy/values.yaml", "env:\n", 'env:\n  APP_DEBUG: "true"\n'),
    )
    PASSES: ClassVar = (
        Diff("app/settings/dev.py", "DEBUG = False\n", "DEBUG = True\n"),
        Diff("app/settings.py", "DEBUG = False\n", 'DEBUG = os.environ.get("DEBUG") == "1"\n'),
        Diff("src/tool.py", "", "DEBUG = True\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Where the file stands says how much it weighs."""
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        live = edit.old.present and found(_LIVE, edit.path) and not found(_LOCAL, edit.path)
        for line, what in switches.on(edit, _ON):
            yield self.came(
                edit, line.number, f"`{visible(what)}` shows strangers the inside", tier=tier if live else Tier.NOTE
            )
