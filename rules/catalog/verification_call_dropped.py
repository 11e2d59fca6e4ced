"""A call that verified, authorised or cleaned something is gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import calls, guards, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible
from rules.structure import Call

_TALKS = (
    rb"(?i)^(?:log|logger|debug|info|warn|warning|error|fatal|exception|trace|print|printf|println|puts|flash|format|sprintf|"
    rb"render|gettext|_|t|tr|emit|append|push|insert|add_argument|describe|it|include|extend|require|require_relative|require_once|"
    rb"import|super|new|len|range|foreach|map|filter|debugf|infof|warnf|warningf|errorf|fatalf|panicf|tracef|logf|fprintf|fprintln|"
    rb"sprintln|errorln|wrap|wrapf)$"
)
_MINDS = rb"(?i)^(?:try|r|w|read_?|write_?)?(?:un)?lock$|^(?:close|done|wait|notify|notify_?all|signal|broadcast|flush|sleep|join|go)$"
_LOGS = rb"(?i)^(?:\w+\.)*_?(?:log|logger|logging|slog|zap|klog|logrus|console)(?:\(\))?\.\w+$"


class VerificationCallDropped(Rule):
    """A function no longer calls what verified, authorised or cleaned for it.

    ## What it does
    Compares the calls of every surviving function. One whose name verifies, validates, authorises, escapes, limits or revokes, and
    that is made neither here nor elsewhere in the change any more, is reported.

    ## Why it matters
    A dropped call is one line less, and nothing fails: what it would have refused simply passes.

    ## Example
    `verify_signature(document)` disappears from the function that reads the document.

    ## What to do instead
    Keep the call, or show the call that does its work now. If it has become needless, let an owner of the path say so.
    """

    id, slug, tier, since = "TH103", "verification-call-dropped", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (vocabulary.ANYWHERE, rb"\w[(!?]", vocabulary.STRONG)

    HOLDS: ClassVar = (
        Diff(
            "src/sso.ts",
            "class Sso {\n  read(doc) {\n    this.verifyIssuer(doc);\n    return doc.profile;\n  }\n}\n",
            "class Sso {\n  read(doc) {\n    return doc.profile;\n  }\n}\n",
        ),
        Diff(
            "app/controllers/teams.rb",
            "class Teams\n  def update\n    authorize!\n    save\n  end\nend\n",
            "class Teams\n  def update\n    save\n  end\nend\n",
        ),
        Diff(
            "web/templates.py",
            "def cell(value):\n    return mark(escape(value))\n",
            "def cell(value):\n    return mark(value)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/sso.ts",
            "class Sso {\n  read(doc) {\n    this.verifyIssuer(doc);\n    return doc.profile;\n  }\n}\n",
            "class Sso {\n  read(doc) {\n    return this.open(doc);\n  }\n  open(doc) {\n    this.verifyIssuer(doc);\n    return doc.profile;\n  }\n}\n",
        ),
        Diff(
            "session/store.go",
            "package session\nfunc (s *Store) Get(k string) string {\n\ts.sessionMu.Lock()\n\tdefer s.sessionMu.Unlock()\n\treturn s.m[k]\n}\n",
            "package session\nfunc (s *Store) Get(k string) string {\n\treturn s.m[k]\n}\n",
        ),
        Diff("src/log.py", "def go(x):\n    log(x)\n    return x\n", "def go(x):\n    return x\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Lost calls by name, and lost statements that speak of access."""
        yield from self._retired(edit)
        seen = set()
        told = _told(edit)
        for lost in calls.lost(edit):
            place = (lost.function, lost.name)
            if place not in seen and lost.line not in told and _verifies(edit, lost):
                seen.add(place)
                where = visible(lost.function.encode()) or "the module"
                yield self.lost(edit, lost.line, f"{where} no longer calls `{visible(lost.target.encode())}`")

    def _retired(self, edit: Edit) -> Iterator[Finding]:
        for line, asked in guards.retired(edit):
            if vocabulary.is_checking(f"{asked.condition.text} {asked.function}"):
                name, text = visible(asked.function.encode()), visible(asked.condition.text.encode())
                yield self.lost(edit, line, f"{name}, which asked `{text}`, is gone and no longer called")


def _told(edit: Edit) -> frozenset[int]:
    """The lines of guards that are reported as gone: what they called is gone with them."""
    return frozenset(line for lost in guards.gone(edit) for line in range(lost.branch.line, lost.branch.end + 1))


def _verifies(edit: Edit, call: Call) -> bool:
    name, line = call.name.encode(), edit.old.line(call.line).strip()
    if line.startswith(b"@") or found(_TALKS, name) or found(_MINDS, name) or found(_LOGS, call.target.encode()):
        return False
    if vocabulary.is_verifying(call.name, call.target):
        return True
    stands_alone = bool(name) and found(rb"^[\w$.:>!@-]*$", line.split(name, 1)[0])
    said = f"{call.target} {' '.join(call.arguments)}"
    return stands_alone and len(said) <= 160 and vocabulary.is_guarding(said)
