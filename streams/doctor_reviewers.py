"""What `twohand doctor` finds of the model reviewers: keys, enrolment and lineage. Asks no endpoint."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from rules.messages import environment_claims
from streams.doctor_clone import OK, WARN, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.doctor import Scene
    from streams.settings_reviewers import Reviewer


def reviewers(scene: Scene) -> Iterator[Check]:
    """One answer for each reviewer of the settings; none where there is none."""
    for reviewer in scene.settings.reviewers.values():
        faults = list(_faults(reviewer, scene))
        for said, remedy in faults:
            yield Check("reviewers", WARN, f"{reviewer.name}: {said}", remedy)
        if not faults:
            hint = f"`twohand reviewers probe {quote(reviewer.name)}` asks it"
            yield Check("reviewers", OK, f"{reviewer.name}: {reviewer.lineage}, enrolled with its own key; {hint}")


def _faults(reviewer: Reviewer, scene: Scene) -> Iterator[tuple[str, str]]:
    from rules.lineage import declared  # noqa: PLC0415 - only where a reviewer is configured
    from streams.judges import identity, roster  # noqa: PLC0415

    called = roster.called(reviewer)
    if called.fault:
        yield called.fault, "Set the key of its endpoint."
    if not declared(reviewer.lineage, reviewer.maker, reviewer.family).maker:
        yield f"nobody knows whose weights {reviewer.lineage} is", "Declare maker and family in the settings."
    line = roster.candidate(reviewer, scene.repo.common_dir).key
    enrolled = {key.line for policy in scene.policies if (one := policy.agents.get(reviewer.name)) for key in one.keys}
    enrol = f"twohand reviewers enrol {quote(reviewer.name)}"
    if not line:
        yield "it has no key to sign with, so it is not asked", enrol
    elif line not in enrolled:
        yield "the policy does not have its key, so it is not asked", enrol
    file = identity.key_file(reviewer, scene.repo.common_dir)
    if identity.others_may_read(file):
        yield f"others may read its key {file}", f"chmod 600 {file}"
    if reviewer.key_file and identity.others_may_read(Path(reviewer.key_file)):
        yield f"others may read the key of its endpoint, {reviewer.key_file}", f"chmod 600 {reviewer.key_file}"
    if os.access(file, os.R_OK) and (marks := environment_claims(os.environ)):
        why = f"this shell belongs to an agent ({marks[0].tool}), which can sign as the reviewer with {file}"
        yield why, "Keep the key where no agent writes changes, such as CI: signing_key names the place."
