"""Signed pushes: who pushed, proven by the certificate, and by nothing less (law 9, 10)."""

import subprocess
from pathlib import Path

import pytest

from tests.streams.gate import clean_environment
from tests.streams.served import Served, enforce


@pytest.fixture
def served(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Bob approved, and nobody proposed: only who pushes could answer for it."""
    clean_environment(monkeypatch, tmp_path)
    found = Served(tmp_path, keys)
    enforce(found.server, '[identity]\ntrust = ["certificate"]\n')
    allowed = tmp_path / "allowed"
    allowed.write_text("".join(f"{n}@x {(keys / f'{n}.pub').read_text()}" for n in ("alice", "mallory")))
    for key, value in (("receive.certNonceSeed", "seed"), ("gpg.ssh.allowedSignersFile", str(allowed))):
        found.server.git("config", key, value)
    found.say("approve", "bob")
    found.work.git("config", "gpg.format", "ssh")
    return found


def sign_as(served: Served, name: str) -> None:
    served.work.git("config", "user.signingKey", str(served.keys / f"{name}.pub"))


def test_a_signed_push_makes_the_pusher_accountable(served: Served) -> None:
    """Status good, signer known, key enrolled, nonce fresh, and the certificate names this very move."""
    sign_as(served, "alice")
    assert not served.push("feature:main").taken
    pushed = served.push("feature:main", options=("--signed",))
    assert pushed.taken, pushed.err


def test_a_key_that_only_git_knows_makes_nobody_accountable(served: Served) -> None:
    """In git's list of signers, and in no policy."""
    sign_as(served, "mallory")
    assert not served.push("feature:main", options=("--signed",)).taken


def test_git_says_good_of_a_key_that_nobody_knows(served: Served) -> None:
    """Status G with an empty signer is no proof (measured with git 2.39)."""
    served.server.git("config", "gpg.ssh.allowedSignersFile", "/dev/null")
    sign_as(served, "alice")
    assert not served.push("feature:main", options=("--signed",)).taken


def test_a_stale_nonce_is_no_proof(served: Served) -> None:
    """What git calls anything but fresh may be a replay."""
    sign_as(served, "alice")
    hook = served.server.path / "hooks" / "pre-receive"
    text = hook.read_text()
    hook.write_text(text.replace("\n", "\nexport GIT_PUSH_CERT_NONCE_STATUS=BAD\n", 1))
    assert not served.push("feature:main", options=("--signed",)).taken


def test_variables_of_the_caller_are_no_certificate(served: Served) -> None:
    """On a local push they reach the hook where git sets none; a certificate of another push names other moves."""
    sign_as(served, "alice")
    assert served.push("main:topic", options=("--signed",)).taken
    cert = certificate(served)
    assert b"refs/heads/topic" in served.server.raw("cat-file", "blob", cert)
    spoofed = {
        "GIT_PUSH_CERT": cert, "GIT_PUSH_CERT_STATUS": "G", "GIT_PUSH_CERT_SIGNER": "alice@x",
        "GIT_PUSH_CERT_KEY": fingerprint(served, "alice"), "GIT_PUSH_CERT_NONCE_STATUS": "OK",
    }  # fmt: skip
    assert not served.push("feature:main", env=spoofed).taken


def test_without_trust_a_certificate_is_not_looked_at(served: Served) -> None:
    """Whose word counts is the operator's to say."""
    (served.server.path / "twohand" / "settings.toml").write_text("[identity]\ntrust = []\n")
    sign_as(served, "alice")
    assert not served.push("feature:main", options=("--signed",)).taken


def certificate(served: Served) -> str:
    """The certificate of the last signed push, which git stores as a blob that nothing refers to."""
    rows = served.server.git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    blobs = [row.split()[0] for row in rows if row.split()[1] == "blob"]
    return next(
        name for name in blobs if served.server.raw("cat-file", "blob", name).startswith(b"certificate version")
    )


def fingerprint(served: Served, name: str) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-lf", served.keys / f"{name}.pub"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[1]
