"""What `twohand doctor` finds of the alert routes: words of steps that mean nobody, keys that are not there. Sends nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from streams.doctor_clone import OK, WARN, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.doctor import Scene


def alerts(scene: Scene) -> Iterator[Check]:
    """One answer for all routes of the settings; none in a clone without any: messages go out from the server."""
    from streams.letters import unrouted  # noqa: PLC0415 - hooks read settings without the routes' clients
    from streams.sinks.alerts.keys import missing  # noqa: PLC0415

    routes = scene.settings.alerts
    if not routes and not scene.repo.bare:
        return
    words = {(policy.source, word) for policy in scene.policies for word in unrouted(policy, routes)}
    for source, word in sorted(words):
        said = f"{source} notifies {word!r}, which is nobody there and no route of the settings"
        yield Check("alerts", WARN, said, f"Correct the word, or add [alerts.{word}] to the settings.")
    faults = {name: why for name, alert in sorted(routes.items()) if (why := missing(alert, os.environ))}
    for name, why in faults.items():
        said = f"[alerts.{name}] reaches nobody as it is: {why}"
        yield Check(
            "alerts", WARN, said, "Set it where `twohand serve` runs, and look there: doctor sees its own shell."
        )
    if ready := [name for name in routes if name not in faults]:
        yield Check("alerts", OK, f"{', '.join(sorted(ready))}; `twohand alerts test` sends a message")
