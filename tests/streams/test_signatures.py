"""SSH signatures with real keys, a real ssh-agent and OpenSSH itself: what is good, what is not, and whose key is found."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.sshsig import Signer
from streams.sources import signatures
from streams.sources.signatures import CannotSign, KeyChoice, find_key, key_from_file, sign, verify, verify_all
from tests.streams import touched
from tests.streams.gate import clean_environment

KINDS = {"ed25519": ["ed25519"], "ecdsa": ["ecdsa"], "rsa": ["rsa", "-b", "2048"], "other": ["ed25519"]}
DATA = b'{"some":"bytes"}\n\0\xff'
FOREIGN = ("ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f")


def keygen(path: Path, *kind: str, phrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", phrase, "-C", "", "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One key of each kind, and `locked`, which has a passphrase."""
    root = tmp_path_factory.mktemp("keys")
    for name, kind in KINDS.items():
        keygen(root / name, *kind)
    keygen(root / "locked", "ed25519", phrase="sesame")
    return root


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without keys, no agent, nobody to ask for a passphrase."""
    clean_environment(monkeypatch, tmp_path)
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".ssh").mkdir()
    return tmp_path


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real ssh-agent without keys; the address of its socket."""
    socket = str(tmp_path_factory.mktemp("a") / "s")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", socket)
    yield socket
    process.terminate()
    process.communicate()


def add(key: Path) -> None:
    subprocess.run(["ssh-add", "-q", key], check=True, stdin=subprocess.DEVNULL)


def line(key: Path) -> str:
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def put(home: Path, key: Path, name: str) -> Path:
    """The key as it lies in ~/.ssh, without its public half."""
    to = home / ".ssh" / name
    to.write_bytes(key.read_bytes())
    to.chmod(0o600)
    return to


# -- what is good -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_signature_tells_its_key(keys: Path, kind: str) -> None:
    """Law 19: good over exactly these bytes, and with which key; no touch is claimed for a key of a file."""
    armor = sign(DATA, key_from_file(keys / kind))
    assert verify(DATA, armor) == Signer(line(keys / kind), presence=False)


def test_a_touch_is_what_the_security_key_signed() -> None:
    """Law 20: OpenSSH proves the bytes of a security key; its flag of presence stands under them and cannot be set later."""
    seed = bytes(range(32))
    key = touched.line(seed)
    assert verify(DATA, touched.armor(seed, DATA)) == Signer(key, presence=True)
    assert verify(DATA, touched.armor(seed, DATA, flags=b"\0")) == Signer(key, presence=False)
    assert verify(DATA, touched.armor(seed, DATA, flags=b"\4")) == Signer(key, presence=False)
    assert verify(DATA, touched.armor(seed, DATA, flags=b"\0", claimed=b"\1")) is None
    assert verify(DATA + b"x", touched.armor(seed, DATA)) is None


def test_only_exactly_these_bytes_are_signed(keys: Path) -> None:
    """Law 17: one byte more, less or other, and it is nothing."""
    armor = sign(DATA, key_from_file(keys / "ed25519"))
    for data in (DATA + b"\n", DATA[:-1], DATA.replace(b"some", b"sone"), b""):
        assert verify(data, armor) is None


def test_another_purpose_is_none(keys: Path) -> None:
    """A signature over the same bytes as a git commit does not speak here, and ours not there."""
    command = [*FOREIGN, str(keys / "ed25519")]
    foreign = subprocess.run(command, input=DATA, capture_output=True, check=True).stdout
    assert verify(DATA, foreign) is None
    assert verify(DATA, foreign, namespace="git") == Signer(line(keys / "ed25519"))
    assert verify(DATA, sign(DATA, key_from_file(keys / "ed25519")), namespace="git") is None


def test_a_damaged_signature_is_none(keys: Path) -> None:
    """Cut anywhere, with another's key inside, without its frame, or no signature at all."""
    armor = sign(DATA, key_from_file(keys / "ed25519"))
    lines = armor.splitlines(keepends=True)
    cut = [armor[: len(armor) * part // 8] for part in range(8)]
    swapped = sign(DATA, key_from_file(keys / "other")).splitlines(keepends=True)
    mixed = [*lines[:2], *swapped[2:]]
    for damaged in (*cut, b"".join(mixed), b"".join(lines[1:-1]), b"\0" * 100, b"x", armor.replace(b"U", b"V")):
        assert verify(DATA, damaged) is None


def test_many_are_verified_in_their_order(keys: Path) -> None:
    """Two at a time; each answer stands where its question stood."""
    armors = [sign(DATA, key_from_file(keys / name)) for name in ("ed25519", "ecdsa", "other")]
    rows = [(DATA, armors[0]), (b"else", armors[0]), (DATA, armors[1]), (DATA, b""), (DATA, armors[2])]
    found = verify_all(rows)
    wanted = ["ed25519", None, "ecdsa", None, "other"]
    assert [signer.key if signer else None for signer in found] == [name and line(keys / name) for name in wanted]
    assert verify_all([]) == []


# -- files that hold keys ---------------------------------------------------------------------------------------------


def test_a_private_key_without_its_public_half_is_read(keys: Path, home: Path) -> None:
    """OpenSSH derives it; nothing is written beside the key."""
    file = put(home, keys / "ecdsa", "mine")
    assert key_from_file(file) == KeyChoice(file, agent=False, line=line(keys / "ecdsa"), found=str(file))
    assert [path.name for path in file.parent.iterdir()] == ["mine"]


def test_a_public_key_beside_its_private_one_is_that_key(keys: Path) -> None:
    """`--key id.pub` signs with `id`."""
    choice = key_from_file(keys / "rsa.pub")
    assert (choice.file, choice.agent) == (keys / "rsa", False)
    assert verify(DATA, sign(DATA, choice)) == Signer(line(keys / "rsa"))


def test_a_home_is_understood(keys: Path, home: Path) -> None:
    """`~` as people type it."""
    put(home, keys / "ed25519", "mine")
    assert key_from_file(Path("~/.ssh/mine")).line == line(keys / "ed25519")


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\0" * 70_000, b"ssh-ed25519", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"]
)
def test_what_is_no_key_says_so(home: Path, content: bytes) -> None:
    """The file is named, and what to give instead."""
    file = home / "nothing"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(CannotSign, match="nothing") as caught:
        key_from_file(file)
    assert "--key FILE" in caught.value.remedy


def test_a_key_file_that_is_not_there_says_so(home: Path) -> None:
    """Neither an absent file nor a directory is a key."""
    for path in (home / "absent", home):
        with pytest.raises(CannotSign, match="There is no key file") as caught:
            key_from_file(path)
        assert "ssh-keygen -t ed25519" in caught.value.remedy


def test_a_key_that_others_may_read_is_refused_in_openssh_words(keys: Path, home: Path) -> None:
    """OpenSSH uses no private key with open permissions; its reason reaches the user."""
    file = put(home, keys / "ed25519", "open")
    file.chmod(0o644)
    with pytest.raises(CannotSign, match="open"):
        sign(DATA, key_from_file(file))


LOCKED = """
import sys
from pathlib import Path
from streams.sources.errors import SourceError
from streams.sources.signatures import key_from_file, sign
try:
    sign(b"data", key_from_file(Path(sys.argv[1])))
except SourceError as error:
    print(error.message, error.remedy)
"""


@pytest.mark.parametrize("public", [True, False], ids=["with .pub", "alone"])
def test_a_locked_key_without_anybody_to_ask_is_an_error_and_no_hang(keys: Path, home: Path, public: bool) -> None:
    """No terminal, no agent, no askpass: it ends at once, with a reason and what to do."""
    file = keys / "locked" if public else put(home, keys / "locked", "locked")
    done = subprocess.run(
        [sys.executable, "-c", LOCKED, str(file)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        text=True,
        timeout=15,
        check=True,
    )
    assert str(file) in done.stdout
    assert "passphrase" in done.stdout
    assert "ssh-agent" in done.stdout or "--key FILE" in done.stdout


# -- ssh-agent --------------------------------------------------------------------------------------------------------


def test_an_agent_signs_for_a_public_key(keys: Path, home: Path, agent: str) -> None:
    """The private key needs not lie beside it."""
    add(keys / "ed25519")
    public = home / "mine.pub"
    public.write_text(line(keys / "ed25519") + " me\n")
    choice = key_from_file(public)
    assert choice.agent
    assert "through ssh-agent" in choice.found
    assert verify(DATA, sign(DATA, choice)) == Signer(line(keys / "ed25519"))


def test_an_agent_that_lacks_the_key_says_so(keys: Path, home: Path, agent: str) -> None:
    """The error names the key and passes on what OpenSSH says."""
    public = home / "mine.pub"
    public.write_text(line(keys / "other") + "\n")
    with pytest.raises(CannotSign, match=r"mine\.pub through ssh-agent"):
        sign(DATA, key_from_file(public))


def test_the_enrolled_key_of_an_agent_is_found(keys: Path, home: Path, agent: str) -> None:
    """Among several, the one that policy enrols."""
    for name in ("other", "rsa", "ed25519"):
        add(keys / name)
    choice = find_key([line(keys / "ed25519")], {}, home)
    assert choice.found == "key 3 of ssh-agent"
    assert verify(DATA, sign(DATA, choice)) == Signer(line(keys / "ed25519"))


@pytest.mark.parametrize("state", ["empty", "gone"])
def test_an_agent_without_keys_offers_none(home: Path, agent: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an empty agent nor a socket that nobody answers is an error of its own."""
    if state == "gone":
        monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "nobody"))
    assert signatures.agent_keys() == []
    with pytest.raises(CannotSign, match="No SSH key was found"):
        find_key([], {}, home)


# -- the key that nobody named ----------------------------------------------------------------------------------------


def test_the_signing_key_of_git_is_taken_as_a_path(keys: Path, home: Path) -> None:
    """`user.signingKey`, with or without `.pub`, goes before ~/.ssh."""
    put(home, keys / "other", "id_ed25519")
    for name in ("ed25519", "ed25519.pub"):
        choice = find_key([], {"user.signingkey": str(keys / name)}, home)
        assert choice.line == line(keys / "ed25519")


@pytest.mark.parametrize("prefix", ["", "key::"])
def test_the_signing_key_of_git_is_taken_as_a_key(keys: Path, home: Path, agent: str, prefix: str) -> None:
    """A literal public key, as git takes it, signs through ssh-agent."""
    add(keys / "ecdsa")
    choice = find_key([], {"user.signingkey": f"{prefix}{line(keys / 'ecdsa')} me"}, home)
    assert choice.found == "git's user.signingKey"
    assert verify(DATA, sign(DATA, choice)) == Signer(line(keys / "ecdsa"))


@pytest.mark.parametrize("named", ["", "0xDEADBEEF", "/nowhere/key", "key::"])
def test_a_signing_key_that_is_no_ssh_key_is_passed_over(keys: Path, home: Path, named: str) -> None:
    """A GPG id or a file that is gone: the next place is looked at."""
    put(home, keys / "ed25519", "id_ed25519")
    assert find_key([], {"user.signingkey": named}, home).line == line(keys / "ed25519")


def test_the_home_is_searched_for_the_enrolled_key(keys: Path, home: Path) -> None:
    """All usual names, not only the first that is there."""
    put(home, keys / "other", "id_ed25519")
    put(home, keys / "ecdsa", "id_ecdsa")
    choice = find_key([line(keys / "ecdsa")], {}, home)
    assert choice.file == home / ".ssh" / "id_ecdsa"


def test_a_locked_key_in_the_way_hides_no_other(keys: Path, home: Path) -> None:
    """A passphrase on one key of ~/.ssh must not keep the enrolled one from being found."""
    put(home, keys / "locked", "id_ed25519")
    put(home, keys / "ecdsa", "id_ecdsa")
    assert find_key([line(keys / "ecdsa")], {}, home).file == home / ".ssh" / "id_ecdsa"


def test_keys_that_nobody_enrolled_are_named(keys: Path, home: Path) -> None:
    """The error lists what was found, so that the right one can be given."""
    put(home, keys / "other", "id_ed25519")
    with pytest.raises(CannotSign, match="None of the keys found is enrolled") as caught:
        find_key([line(keys / "rsa")], {}, home)
    assert str(home / ".ssh" / "id_ed25519") in caught.value.message


def test_no_key_at_all_says_how_to_make_one(home: Path) -> None:
    """Every place that was looked at is named."""
    with pytest.raises(CannotSign, match=r"user\.signingKey, ssh-agent and ~/\.ssh") as caught:
        find_key([], {}, home)
    assert "ssh-keygen -t ed25519" in caught.value.remedy


# -- without OpenSSH --------------------------------------------------------------------------------------------------


def test_without_ssh_keygen_nothing_can_be_signed(keys: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, also where the public key would have to be derived first."""
    bare = put(home, keys / "ed25519", "bare")
    choice = key_from_file(keys / "ed25519")
    monkeypatch.setenv("PATH", str(home))
    assert os.environ["PATH"] == str(home)
    with pytest.raises(CannotSign) as caught:
        sign(DATA, choice)
    assert "OpenSSH 8.2" in caught.value.remedy
    with pytest.raises(CannotSign) as caught:
        key_from_file(bare)
    assert "OpenSSH" in caught.value.remedy


def test_without_ssh_keygen_nothing_is_taken_for_unsigned(
    keys: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 40: whether a signature is good could not be told, and that is not the answer that it is bad."""
    armor = sign(DATA, key_from_file(keys / "ed25519"))
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(signatures.SourceError, match="ssh-keygen"):
        verify(DATA, armor)
