"""SSH signatures, made and verified by OpenSSH's own `ssh-keygen -Y` (8.2 or newer).

Verifying asks one thing only: is this signature good over exactly these bytes, and with which key? Whose key that is,
and whether it is valid, is the law's to say (law 18, 19).
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from rules.sshsig import NAMESPACE, Signature, Signer, parse
from streams.sources.errors import SourceError

KEY_TYPES = ("ssh-", "ecdsa-", "sk-")
AT_ONCE = 2  # ssh-keygen processes; more are no faster on two cores
INSTALL = "Install OpenSSH 8.2 or newer, and put ssh-keygen on the PATH."
TIMEOUT = 20.0  # seconds for one ssh-keygen


class CannotSign(SourceError):
    """No key, or ssh-keygen refused it; the text says what to do."""


class NoVerifier(SourceError):
    """ssh-keygen cannot be asked: nothing is known of any signature, so nothing is decided (law 40)."""

    exit_code = 3


class KeyChoice(NamedTuple):
    """What `ssh-keygen -Y sign -f` is given. With `agent` the file holds a public key and ssh-agent the private one."""

    file: Path
    agent: bool
    line: str  # `type base64`
    found: str  # where it was found, for people


def verify(data: bytes, armor: bytes, *, namespace: str = NAMESPACE) -> Signer | None:
    """Whose key made this signature over exactly these bytes; None where it is not good. NoVerifier where nobody can tell."""
    return verify_all([(data, armor)], namespace=namespace)[0]


def verify_all(rows: Iterable[tuple[bytes, bytes]], *, namespace: str = NAMESPACE) -> list[Signer | None]:
    """`verify` for many (data, armor), two processes at a time, in their order."""
    pending = [(data, armor, parse(armor)) for data, armor in rows]
    found: list[Signer | None] = []
    for first in range(0, len(pending), AT_ONCE):
        asked = [_ask(data, armor, sig, namespace) for data, armor, sig in pending[first : first + AT_ONCE]]
        found.extend(_answer(question) for question in asked)
    return found


class _Question(NamedTuple):
    """One ssh-keygen at work; without a process the signature is none that could be good."""

    signature: Signature | None
    data: bytes
    process: subprocess.Popen[bytes] | None
    file: IO[bytes] | None


def _ask(data: bytes, armor: bytes, signature: Signature | None, namespace: str) -> _Question:
    if signature is None or signature.namespace != namespace:
        return _Question(signature, data, None, None)
    import tempfile  # noqa: PLC0415 - slow to import, and most pushes bring nothing new to verify

    file = tempfile.NamedTemporaryFile(prefix="twohand-", suffix=".sig")  # noqa: SIM115 - closed when it was answered
    file.write(armor)
    file.flush()
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", namespace, "-s", file.name]
    try:
        quiet = subprocess.DEVNULL
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=_environment())
    except OSError as error:
        file.close()
        raise _nobody(error) from error
    return _Question(signature, data, started, file)


def _answer(question: _Question) -> Signer | None:
    signature, data, started, file = question
    if signature is None or started is None or file is None:
        return None
    try:
        started.communicate(data, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        started.kill()
        started.communicate()
        raise _nobody(error) from error
    finally:
        file.close()
    return Signer(signature.key, signature.presence) if started.returncode == 0 else None


def _nobody(error: Exception) -> NoVerifier:
    return NoVerifier(f"ssh-keygen could not be asked about a signature: {error}.", remedy=INSTALL)


def sign(data: bytes, key: KeyChoice) -> bytes:
    """The armored signature. CannotSign with ssh-keygen's own words where it fails."""
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key.file), *(["-U"] if key.agent else [])]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=120, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotSign(f"ssh-keygen could not be run: {error}.", remedy=INSTALL) from error
    if done.returncode or b"BEGIN SSH SIGNATURE" not in done.stdout:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotSign(
            f"ssh-keygen did not sign with {key.found}: {words[-1] if words else 'it says nothing'}.",
            remedy="Name another key with --key FILE.",
        )
    return done.stdout


def _environment() -> dict[str, str]:
    kept = (
        "PATH",
        "HOME",
        "SSH_AUTH_SOCK",
        "SSH_ASKPASS",
        "SSH_ASKPASS_REQUIRE",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "TMPDIR",
        "SSH_SK_PROVIDER",
    )
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def key_from_file(path: Path) -> KeyChoice:
    """A private key file, or a public one whose private part ssh-agent holds."""
    path = path.expanduser()
    if not path.is_file():
        raise CannotSign(
            f"There is no key file {path}.", remedy="Name one with --key FILE; `ssh-keygen -t ed25519` makes one."
        )
    if line := _public_line(path):
        private = path.with_suffix("") if path.suffix == ".pub" else None
        if private and private.is_file():
            return KeyChoice(private, agent=False, line=line, found=str(private))
        return KeyChoice(path, agent=True, line=line, found=f"{path} through ssh-agent")
    return KeyChoice(path, agent=False, line=_line_of_private(path), found=str(path))


def _public_line(path: Path) -> str:
    try:
        words = path.read_text("utf-8", "replace").split()[:2] if path.stat().st_size < 65_536 else []
    except OSError as error:
        raise CannotSign(
            f"{path} cannot be read: {error.strerror}.", remedy="Name another key with --key FILE."
        ) from error
    known = len(words) == 2 and words[0].startswith(KEY_TYPES)
    return " ".join(words) if known else ""


def _line_of_private(path: Path) -> str:
    beside = path.with_name(path.name + ".pub")
    if beside.is_file() and (line := _public_line(beside)):
        return line
    command = ["ssh-keygen", "-y", "-P", "", "-f", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotSign(f"ssh-keygen could not be run: {error}.", remedy=INSTALL) from error
    words = done.stdout.decode("utf-8", "replace").split()[:2]
    if done.returncode or len(words) < 2:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotSign(
            f"{path} is no key that ssh-keygen can use: {why[-1] if why else 'unknown format'}.",
            remedy="Name a private key with --key FILE (or its .pub while ssh-agent holds the key).",
        )
    return " ".join(words)


def agent_keys() -> list[str]:
    """The public key lines that ssh-agent offers; none without an agent."""
    if "SSH_AUTH_SOCK" not in os.environ:
        return []
    try:
        done = subprocess.run(["ssh-add", "-L"], capture_output=True, timeout=TIMEOUT, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = (line.split()[:2] for line in done.stdout.decode("utf-8", "replace").splitlines())
    return [" ".join(row) for row in rows if len(row) == 2 and row[0].startswith(KEY_TYPES)]


def find_key(wanted: Sequence[str], config: Mapping[str, str], scratch: Path) -> KeyChoice:
    """The key to sign with when none was named: git's `user.signingKey`, ssh-agent, then ~/.ssh; one that policy enrols.

    `wanted` are the enrolled key lines of the signer, empty where nobody is enrolled yet: then the first key found does.
    """
    offered = list(_offered(config, scratch))
    usable = [choice for choice in offered if isinstance(choice, KeyChoice)]
    for choice in usable:
        if not wanted or choice.line in wanted:
            return choice
    if offered:
        seen = "; ".join(choice.found if isinstance(choice, KeyChoice) else choice.message for choice in offered)
        raise CannotSign(
            f"None of the keys found is enrolled for this name ({seen}).",
            remedy="Name the enrolled one with --key FILE.",
        )
    raise CannotSign(
        "No SSH key was found: git's user.signingKey, ssh-agent and ~/.ssh have none.",
        remedy="Name one with --key FILE; `ssh-keygen -t ed25519` makes one.",
    )


def _offered(config: Mapping[str, str], scratch: Path) -> Iterator[KeyChoice | CannotSign]:
    """The keys within reach, each as a choice or as the reason why it is none."""
    if named := config.get("user.signingkey", ""):
        literal = named.removeprefix("key::")
        if literal.startswith(KEY_TYPES):
            yield _through_agent(" ".join(literal.split()[:2]), scratch, "git's user.signingKey")
        elif Path(named).expanduser().is_file():
            yield _tried(Path(named))
    for number, line in enumerate(agent_keys()):
        yield _through_agent(line, scratch, f"key {number + 1} of ssh-agent")
    for name in ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"):
        path = Path("~/.ssh").expanduser() / name
        if path.is_file():
            yield _tried(path)


def _tried(path: Path) -> KeyChoice | CannotSign:
    try:
        return key_from_file(path)
    except CannotSign as error:
        return error


def _through_agent(line: str, scratch: Path, found: str) -> KeyChoice:
    file = scratch / f"{abs(hash(line))}.pub"
    file.write_text(line + "\n", "utf-8")
    return KeyChoice(file, agent=True, line=line, found=found)
