"""Content that no rule can read, and the images and fonts that nobody has to: recognised by content, never by name (law 3)."""

from rules.change import SUBMODULE
from rules.findings import Finding
from rules.rule import Edit

SAID = "media, known by its content: "  # a finding's message; the kind follows

LFS = b"version https://git-lfs.github.com/spec/"
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image", b"\xff\xd8\xff": "image", b"GIF87a": "image", b"GIF89a": "image",
    b"\x00\x00\x01\x00": "image", b"wOFF": "font", b"wOF2": "font", b"\x00\x01\x00\x00\x00": "font",
    b"OTTO\x00": "font",
}  # fmt: skip
_PROBE = 8000  # bytes in which git looks for a NUL


def medium(data: bytes) -> str:
    """`image` or `font` for the common ones, else ""."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")


def kind_of(finding: Finding) -> str:
    """The kind of media that a finding speaks of, "" for any other finding: what `policy.media` does not list is unread (law 3)."""
    return finding.message.removeprefix(SAID) if finding.message.startswith(SAID) else ""


def is_binary(data: bytes) -> bool:
    """Content that is no text: a NUL among mostly unprintable bytes. A NUL in source code leaves it text."""
    probe = data[:_PROBE]
    if b"\0" not in data:
        return False
    controls = sum(probe.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 12, 13, 27))
    high = sum(byte >= 0x80 for byte in probe)
    odd = probe.count(b"\0") + controls + high
    return odd >= 8 and odd > len(probe) // 20


def unread(edit: Edit) -> str:
    """Why no rule can judge this file's content; "" where one can."""
    if edit.why:
        return edit.why
    if SUBMODULE in (edit.file.old_mode, edit.file.new_mode):
        return "submodule pointer"
    for data in (edit.new.data, edit.old.data):
        if data.startswith(LFS):
            return "Git LFS pointer"
    new, old = (bool(side.data) and is_binary(side.data) and not medium(side.data) for side in (edit.new, edit.old))
    return "binary content" if new or (old and not edit.new.present) else ""
