"""The law's larger tables as JSON, for hooks: reading them as TOML takes as long as starting the interpreter."""

import json
import tomllib
from hashlib import sha256

from rules.packaged import COMPILED, DATA

TABLES = ("agents.toml", "models.toml", "signers.toml", "packages.toml", "phrases.toml", "weights.toml")


def pages() -> dict[str, str]:
    """One file, beside its sources. Each table carries the digest of the text that it was made of."""
    texts = {name: (DATA / name).read_bytes() for name in TABLES}
    tables = {name: [sha256(text).hexdigest(), tomllib.loads(text.decode())] for name, text in texts.items()}
    return {f"../rules/data/{COMPILED}": json.dumps(tables, ensure_ascii=False, separators=(",", ":")) + "\n"}
