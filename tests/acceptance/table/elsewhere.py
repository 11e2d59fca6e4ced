"""Cases that one local command cannot show, and what shows them; none is left out in silence."""

from tests.acceptance.case import Elsewhere

# fmt: off
CASES = (
    Elsewhere("gates-24, last part", "an approval of the same instant as the push", "nothing to decide: approvals name content, time orders nothing (law 17, 18)"),
    Elsewhere("gates-30, last part", "an audit event when somebody edits another's approval", "the journal's and the server's part; here the edit is nothing (gates-27b, gates-30)"),
    Elsewhere("gates-34, first part", "a reviewer's crash, time-out or unknown verdict", "reviewers that the gate runs itself; statements that are none are here (gates-34, gates-34c, peers-19)"),
    Elsewhere("gates-35, OR with an error", "one source of a requirement approves, another fails", "reviewers that the gate runs itself (law 40)"),
    Elsewhere("gates-36, the pairs", "153 owner patterns", "tests/rules/test_owners.py"),
    Elsewhere("gates-37", "sections of GitLab's owners files", "the owners reader knows GitHub's dialect alone; a section header is a line that it skips and reports"),
    Elsewhere("gates-40, head moved", "another head at the moment of merging", "the doors: pre-receive, gate and forge status recompute the content key (law 7)"),
    Elsewhere("gates-40, two changes", "two open changes on one commit", "the forge's part; one commit for two targets is here (gates-40b)"),
    Elsewhere("gates-40, forged success", "another identity writes the gate's status", "the forge's part"),
    Elsewhere("bypass-2, paging", "more than 250 commits of a forge's listing", "nothing to page: the whole history is read from git; what is missing is told (bypass-2)"),
    Elsewhere("peers-18, 19, counts", "a model's answer with a verdict and a count of blockers, and its parsing", "the model reviewers' part; findings of rules are here (peers-18)"),
    Elsewhere("peers-36 to 43", "hooks, routes into a protected ref, quarantine", "the hooks' and the server's part"),
    Elsewhere("peers-54 to 69", "security content", "tests/reviewers/ and the rules' own examples"),
    Elsewhere("peers-70 to 72", "injection, coverage and canaries of model reviewers", "the model reviewers' part; what rules see of it is here (peers-21b)"),
    Elsewhere("peers-73 to 80", "streams, alerts and output", "the streams' and renderers' own tests"),
)
# fmt: on
