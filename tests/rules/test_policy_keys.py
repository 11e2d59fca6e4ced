"""OpenSSH public keys in the policy (law 18, 20)."""

import base64
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.sshkeys import key_of, key_text

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIIQzm90IgS5jwCJn3CFBTAhV8nmqqpMtAv/2GzxdnoM4"
LINE = f"ssh-ed25519 {BLOB}"


def blob(*parts):
    return base64.b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).decode()


def test_a_plain_line_is_type_blob_and_comment():
    """The .pub line as ssh-keygen writes it; the comment may have spaces or be absent."""
    key = key_of(f"{LINE} alice at work")
    assert (key.type, key.blob, key.comment, key.line) == ("ssh-ed25519", BLOB, "alice at work", LINE)
    assert key_of(LINE).comment == ""
    assert not key.touched


@pytest.mark.parametrize(
    "kind",
    [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")],
    ids="-".join,
)
def test_every_kind_that_ssh_keygen_makes_is_taken(kind, tmp_path):
    """A fresh key of each type passes."""
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind[0], "-b", kind[1], "-N", "", "-C", "c", "-f", file], check=True)
    line = file.with_suffix(".pub").read_text().strip()
    assert key_text(key_of(line)) == line


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("sk-ssh-ed25519@openssh.com", (b"k" * 32, b"ssh:")),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (b"nistp256", b"k" * 65, b"ssh:")),
    ],
)
def test_security_keys_are_known_by_type(kind, parts):
    """Law 20: `sk-` keys carry the touch."""
    assert key_of(f"{kind} {blob(kind.encode(), *parts)}").touched


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("20260102", "2026-01-02T00:00:00Z"),
        ("20260102Z", "2026-01-02T00:00:00Z"),
        ("202601021314", "2026-01-02T13:14:00Z"),
        ("20240229131415z", "2024-02-29T13:14:15Z"),
    ],
)
def test_times_are_utc(text, time):
    """With or without Z a time is UTC; ssh-keygen would read the one without as local."""
    assert key_of(f'valid-after="{text}" {LINE}').valid_after == time


def test_limits_are_inside():
    """Law 18: a key is valid from its first to its last moment, both included."""
    key = key_of(f'valid-before="20270101",VALID-AFTER="20260101" {LINE}')
    moments = ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z"]
    assert [key.valid_at(moment) for moment in moments] == [False, True, True, False]
    assert key_of(LINE).valid_at("1999-01-01T00:00:00Z")


@pytest.mark.parametrize("names", [("twohand",), ("git", "twohand"), ("*",)])
def test_namespaces_stay_in_the_value(names):
    """They must allow statements, and are kept as written."""
    key = key_of(f'namespaces="{",".join(names)}" {LINE} c')
    assert key.namespaces == names
    assert key_of(key_text(key)) == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no base64 part"),
        ("ssh-ed25519", "no base64 part"),
        (f"alice@example.com {LINE}", "neither a key type nor an option"),
        (f"no-touch-required {LINE}", "neither a key type nor an option"),
        (f"ssh-dss {BLOB}", "ssh-dss keys are not supported"),
        (f"ssh-ed25519-cert-v01@openssh.com {BLOB}", "are not supported"),
        (f"cert-authority {LINE}", "certificates are not supported"),
        (f'valid-after="20260101 {LINE}', "no closing quote"),
        (f'valid-after="20260101",valid-after="20260101" {LINE}', "twice"),
        (f'namespaces="git" {LINE}', 'must contain "twohand"'),
        (f'valid-after="2026" {LINE}', "YYYYMMDD"),
        (f'valid-after="20260230" {LINE}', "YYYYMMDD"),
        (f'valid-after="20250229" {LINE}', "YYYYMMDD"),
        (f'valid-after="21000229" {LINE}', "YYYYMMDD"),
        (f'valid-after="20261301" {LINE}', "YYYYMMDD"),
        (f'valid-after="00000101" {LINE}', "YYYYMMDD"),
        (f'valid-after="202601012400" {LINE}', "YYYYMMDD"),
        (f'valid-after="20270101",valid-before="20260101" {LINE}', "never valid"),
        (f"ssh-ed25519 {BLOB[:-4]}", "cut off"),
        (f"ssh-ed25519 {BLOB[:-1]}", "damaged"),
        (f"ssh-ed25519 {BLOB}é", "damaged"),
        (f"ssh-rsa {BLOB}", "cut off or no key"),
        (f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp384', b'x', b'y')}", "holds a key of type"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', b'short')}", "cut off"),
        (f"ssh-rsa {blob(b'ssh-rsa', b'e', b'n' * 128)}", "fewer than 2048 bits"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', b'k' * 9000)}", "cut off"),
        (f"{LINE}\x1b[2J", "control characters"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
    ],
)
def test_a_wrong_key_says_what_is_wrong(text, says):
    """Each mistake has its own sentence."""
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        key_of(text)
    assert says in str(caught.value)


@given(st.one_of(st.text(), st.text('valid-after="2026,cers12\t ')), st.sampled_from(["", LINE, " " + LINE]))
def test_no_text_crashes_it(text, line):
    """Any text is a key whose own text is read as the same key, or a ValueError."""
    try:
        key = key_of(text + line)
    except ValueError:
        return
    assert key_of(key_text(key)) == key
