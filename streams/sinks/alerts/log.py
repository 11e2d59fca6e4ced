"""The default: messages on the terminal, or wherever standard error of the service goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streams.sinks.alerts.route import Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import lines

if TYPE_CHECKING:
    from streams.sinks.alerts.message import Message


class Log(Configured):
    """`kind = "log"`."""

    def send(self, message: Message) -> Answer:
        first, *rest = lines(message)
        head = f"{message.at} alert {self.name} [{message.severity}] {first}"
        text = "".join(f"{row}\n" for row in (head, *(f"  {row}" if row else "" for row in rest)))
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError) as error:  # closed, full, or none at all
            return NotSent(f"standard error cannot be written: {error}")
        return Sent()
