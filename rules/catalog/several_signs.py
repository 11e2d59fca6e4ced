"""Several signs in one function say that a protection was taken away."""

from collections.abc import Iterator
from typing import ClassVar

from rules import risk
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule


class SeveralSigns(Rule):
    """Several signs in one function say that a protection was taken away.

    ## What it does
    Adds up what the rules about lost checks found in one function, each sign with its measured weight. Where the sum is high, and two
    places of the function agree or the tests of the change ask less as well, the change is blocked, and the message names the signs.

    ## Why it matters
    Each sign alone may be a repair. Together they hardly ever are: of ordinary changes about one in a hundred comes this far.

    ## Example
    A function loses its refusal and the call that verified, nothing comes in their place, and the test that asked for both is gone.

    ## What to do instead
    Put the checks back, or show in a change of its own what does their work now. A person who is entitled to may waive the finding.

    ## Why it is general
    The weights are measured on labelled changes of many projects, each project judged by weights of the others (docs/detection.md).
    """

    id, slug, tier, since = "TH123", risk.SLUG, Tier.BLOCK, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (rb"\x00never\x00",)

    HOLDS: ClassVar = (
        Diff(
            "src/accounts/tokens.py",
            "def accept(token, user):\n    if not user.is_active:\n        raise PermissionDenied('inactive')\n    data = read(token)\n    verify_signature(token, data)\n    return data\n",
            "def accept(token, user):\n    data = read(token)\n    return data\n",
        ),
        (
            Diff(
                "src/accounts/share.py",
                "def share(user, doc):\n    if not user.owner_of(doc):\n        raise PermissionDenied('not yours')\n    return link(doc)\n",
                "def share(user, doc):\n    return link(doc)\n",
            ),
            Diff(
                "tests/test_share.py",
                "def test_share():\n    with pytest.raises(PermissionDenied):\n        share(stranger, doc)\n    assert share(owner, doc)\n",
                "def test_share():\n    assert share(owner, doc)\n",
            ),
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/accounts/share.py",
            "def share(user, doc):\n    if not user.owner_of(doc):\n        raise PermissionDenied('not yours')\n    return link(doc)\n",
            "def share(user, doc):\n    return link(doc)\n",
        ),
    )

    def reads(self, _edit: Edit) -> bool:
        return False

    def check(self, _edit: Edit) -> Iterator[Finding]:
        """Nothing of a file alone: `rules.risk` speaks in this rule's name once all files were read."""
        yield from ()
