"""One observation about who made a change, before anybody asks what policy makes of it (law 8, 10; DESIGN 5.1)."""

from typing import NamedTuple

NO_TOOL = "none"  # a person says so: `propose --tool none` (law 11)


class Claim(NamedTuple):
    """What one channel says about one hand. Empty text means that the channel does not say it.

    grade    A attested, B forge- or door-asserted, C tool-recorded, D self-declared text
    channel  author, committer, co-author, mark, note, trace, signature, proposal, opened-by, pushed-by, branch,
             environment, recorded, seen
    kind     person, agent or service, where the channel tells; else ""
    commit   the commit it speaks of; "" for the whole change
    session  `namespace:id`
    operator the name, e-mail or account of the human on whose behalf the tool acted
    text     the claim as it was found, at most 200 characters
    """

    channel: str
    grade: str
    commit: str = ""
    kind: str = ""
    name: str = ""
    email: str = ""
    account: str = ""  # `host:login`
    principal: str = ""  # an enrolled name, where the channel proves one (a verified key)
    tool: str = ""
    model: str = ""  # as found
    maker: str = ""
    family: str = ""
    session: str = ""
    operator: str = ""
    text: str = ""
