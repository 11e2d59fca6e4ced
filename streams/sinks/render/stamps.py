"""What the stamps of a decision mean: a few words beside each, and a page for `twohand explain`."""

from typing import NamedTuple

from streams.sinks.render.safe import shown


class Stamp(NamedTuple):
    """`short` stands beside the stamp; `means` and `do` are for `twohand explain STAMP`."""

    short: str
    means: str
    do: str


STAMPS: dict[str, Stamp] = {
    "undeclared": Stamp(
        "nobody said what tools made it",
        "Nothing in the change and nobody who answers for it says whether an agent or a tool made it, and nobody denies it. "
        "What is not said is not known.",
        "Say it: `twohand propose REV --as NAME --tool TOOL`, or `--tool none` where a person wrote all of it.",
    ),
    "presence: unproven": Stamp(
        "no touch of a security key shows that a person signed",
        "A person's approval was signed with a key that any program of theirs could have used as well. It counts where the "
        "policy does not ask for more; the record keeps that nobody was shown to be there.",
        "Sign with a hardware key that asks for a touch (`ssh-keygen -t ed25519-sk`), enrolled in the policy under "
        "`[people.NAME] keys`.",
    ),
    "not independent": Stamp(
        "an approval counts that is only advised to be another hand's",
        "An approval counts although its reviewer is not shown to be independent of the authors on every axis: the policy "
        "only advises it there.",
        "Ask somebody who has no part in the change, or let the policy require independence.",
    ),
    "reviewers disagree": Stamp(
        "one model approves what another objects to",
        "Model reviewers voted on the same content without seeing each other's votes, and they do not say the same. The objection "
        "stands as any other does.",
        "Read both reasons under `who spoke`. What an objection is about is answered by a rework, its author, or a waiver.",
    ),
    "identity mismatch": Stamp(
        "a model reviewer is not the one that was declared",
        "An endpoint reported another model than its settings declare. Its review has no vote; somebody should know why.",
        "`twohand reviewers probe NAME` tells what answers there. Then correct the settings, or the endpoint.",
    ),
    "waived": Stamp(
        "a finding or objection was overridden by name",
        "Somebody whom the policy lets waive has overridden a finding or an objection, with a reason and an end. It is not gone: "
        "it stands in the record.",
        "See `who spoke` for who waived it and why; `twohand review -v` shows all of it.",
    ),
    "simulated": Stamp("supposed, not said", "Somebody asked what would be decided if. Nothing was signed and nothing is recorded.",
        "`twohand review` decides."),
}  # fmt: skip
ALIASES = {
    "presence": "presence: unproven",
    "presence-unproven": "presence: unproven",
    "not-independent": "not independent",
    "reviewers-disagree": "reviewers disagree",
    "identity-mismatch": "identity mismatch",
}


def stamp_called(name: str) -> str:
    """The stamp that a name means; "" where it means none."""
    known = ALIASES.get(name, name)
    return known if known in STAMPS else ""


def told(stamp: str) -> str:
    """`waived (a finding or objection was overridden by name)`."""
    known = STAMPS.get(stamp)
    return f"{shown(stamp)} ({known.short})" if known else shown(stamp)
