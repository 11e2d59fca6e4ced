"""What a push brings, as receive-pack tells it to its hooks: one line a ref, and in variables who pushes."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rules.claims import Claim
from streams.sources.refs import Move

GITLAB: Final = ("GL_ID", "GL_PROTOCOL", "GL_USERNAME")
NAMED_BY: Final = {
    "gitlab": {"GL_USERNAME": "pushed-by"},
    "gitea": {"GITEA_PUSHER_NAME": "pushed-by"},
    "github": {"GITHUB_USER_LOGIN": "pushed-by", "GITHUB_PULL_REQUEST_AUTHOR_LOGIN": "opened-by"},
}


def moves(lines: Iterable[bytes]) -> list[Move]:
    """`OLD NEW REF` a line, as pre-receive and post-receive read them; ValueError where a line is none of these."""
    return [_move(line.rstrip(b"\n")) for line in lines if line.strip()]


def _move(line: bytes) -> Move:
    parts = line.split(b" ", 2)
    if len(parts) != 3:
        raise ValueError(f"{line[:200]!r} is no line that receive-pack writes: OLD NEW REF")
    return Move(os.fsdecode(parts[2]), parts[0].decode("ascii"), parts[1].decode("ascii"))


def claims(environ: Mapping[str, str], trusted: Sequence[str]) -> Iterator[Claim]:
    """Law 10: pusher and opener as the forges name them whose environment the settings trust; of others, nothing."""
    if not trusted:
        return
    from streams import evidence  # noqa: PLC0415 - much, and only where somebody is trusted

    for host in trusted:
        for variable, channel in NAMED_BY.get(host, {}).items():
            if login := environ.get(variable, "").strip():
                yield evidence.asserted(channel, f"{host}:{login}")


def for_gitlab(environ: Mapping[str, str]) -> bool:
    """Whether GitLab reads the hook's words: it shows people only lines with its prefix."""
    return any(name in environ for name in GITLAB)
