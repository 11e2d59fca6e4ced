"""Texts that try to become more than text, one a line of xss.txt; lines with a backslash are Python's escapes."""

from pathlib import Path

CORPUS = [
    line.encode().decode("unicode_escape") if line.startswith(("\\", "Set-")) else line
    for line in (Path(__file__).parent / "xss.txt").read_text("utf-8").splitlines()
]
