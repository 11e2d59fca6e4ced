"""The text of an installed hook: a small /bin/sh file that runs what was there before, then one absolute interpreter.

It fixes everything at installation: interpreter, packages, settings, PATH. A server's hook hands on an allow-list of its
environment, because on local and ssh pushes the environment is the pusher's (DESIGN 11).
"""

import shlex
from hashlib import sha256
from typing import Final, NamedTuple

from streams.cli import VERSION

SERVER: Final = ("pre-receive", "post-receive")
CLIENT: Final = ("pre-push", "prepare-commit-msg")
FED: Final = ("pre-receive", "post-receive", "pre-push")  # git tells these on standard input what is pushed
BEFORE: Final = ".before-twohand"  # what is added to the name of a hook that was there
MARK: Final = b"# twohand hook "
SEAL: Final = b"# sha256 "
BLOCK: Final = "twohand.prePush"  # `block`: a push that the server would refuse does not leave
MOST_OPTIONS: Final = 100  # push options of one push

GIT: Final = (
    "GIT_DIR",
    "GIT_QUARANTINE_PATH",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PUSH_OPTION_COUNT",
    "GIT_PUSH_CERT",
    "GIT_PUSH_CERT_SIGNER",
    "GIT_PUSH_CERT_KEY",
    "GIT_PUSH_CERT_STATUS",
    "GIT_PUSH_CERT_NONCE",
    "GIT_PUSH_CERT_NONCE_STATUS",
    "GIT_PUSH_CERT_NONCE_SLOP",
)
FORGES: Final = (
    "GL_ID",
    "GL_USERNAME",
    "GL_PROTOCOL",
    "GL_REPOSITORY",
    "GL_PROJECT_PATH",
    "GITEA_PUSHER_NAME",
    "GITEA_PUSHER_ID",
    "GITEA_PUSHER_EMAIL",
    "GITEA_REPO_NAME",
    "GITEA_REPO_USER_NAME",
    "GITEA_PR_ID",
    "GITEA_PR_INDEX",
    "GITEA_PUSH_TRIGGER",
    "GITEA_ACTIONS_TASK_ID",
    "GITHUB_USER_LOGIN",
    "GITHUB_PULL_REQUEST_AUTHOR_LOGIN",
    "GITHUB_REPO_NAME",
    "GITHUB_VIA",
)
HANDED_ON: Final = ("HOME", *GIT, *FORGES)


class Fixed(NamedTuple):
    """What is fixed at installation. All paths are absolute; `settings` is "" where there are none."""

    interpreter: str
    settings: str = ""
    packages: str = ""  # the directory of twohand's packages, where the interpreter does not find them by itself
    path: str = "/usr/local/bin:/usr/bin:/bin"
    shell: str = "/bin/sh"  # with -p where the shell knows it: no functions and options out of the environment


class Read(NamedTuple):
    """What an installed file says of itself; `whole`: nobody changed it since it was written."""

    version: str
    fixed: Fixed
    whole: bool


def text(name: str, fixed: Fixed) -> bytes:
    """The whole file of one hook. Its third line is the digest of everything below."""
    body = "\n".join([*_values(fixed), *_refusing(name), *_chain(name), *_start(name)]) + "\n"
    head = f"#!{fixed.shell}\n{MARK.decode()}{name}, version {VERSION}\n".encode()
    return head + SEAL + _seal(head, body.encode()) + b"\n" + body.encode()


def read(data: bytes) -> Read | None:
    """What a hook of ours says of itself; None for anybody else's."""
    first, _, rest = data.partition(b"\n")
    title, _, sealed = rest.partition(b"\n")
    if not title.startswith(MARK):
        return None
    seal, _, body = sealed.partition(b"\n")
    whole = seal == SEAL + _seal(first + b"\n" + title + b"\n", body)
    version = title.decode("utf-8", "replace").rpartition(" version ")[2]
    return Read(version, _fixed(first, body), whole)


def _seal(head: bytes, body: bytes) -> bytes:
    return sha256(head + body).hexdigest().encode()


def _fixed(first: bytes, body: bytes) -> Fixed:
    found = dict(_assigned(line) for line in body.decode("utf-8", "surrogateescape").splitlines()[:8] if "=" in line)
    known = {name: found.get(f"twohand_{name}", "") for name in Fixed._fields if name != "shell"}
    return Fixed(**known, shell=first.decode("utf-8", "replace").removeprefix("#!"))


def _assigned(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    try:
        return name, "".join(shlex.split(value))
    except ValueError:
        return name, ""


def _values(fixed: Fixed) -> list[str]:
    return [
        "# `twohand hook status` checks this file; `twohand hook uninstall` puts back what was here before.",
        f"twohand_interpreter={shlex.quote(fixed.interpreter)}",
        f"twohand_settings={shlex.quote(fixed.settings)}",
        f"twohand_packages={shlex.quote(fixed.packages)}",
        f"twohand_path={shlex.quote(fixed.path)}",
        "IFS=' '",
    ]


def _refusing(name: str) -> list[str]:
    """Where it cannot run, a gate stays closed; advice and records say so, and stop nobody who did not ask to be stopped."""
    stops = [f'  [ "$(git config {BLOCK})" != block ] || exit 1'] if name == "pre-push" else []
    return [
        "say() { printf '%s\\n' \"${GL_ID:+GL-HOOK-ERR: }$1\" >&2; }",
        "refuse() {",
        f'  say "error: twohand cannot judge: $1"; say "error:   $2"; say "hint: {_again(name)}"',
        *stops,
        f'  exit "${{3:-{_closed(name)}}}"',
        "}",
    ]


def _again(name: str) -> str:
    """How to recover, under 72 columns."""
    if name in SERVER:
        return "on the server, run: twohand hook install --server -C REPO"
    return "run: twohand hook install"


def _closed(name: str) -> int:
    return 0 if name in CLIENT else 1


def _stopping(name: str) -> str:
    return (
        f'__import__("os").popen("git config {BLOCK}").read() == "block\\n"'
        if name == "pre-push"
        else str(_closed(name))
    )


def _chain(name: str) -> list[str]:
    """The hook that was here runs first, with the same arguments and input; what it does cannot end ours.

    On a client, where pre-commit may have moved ours behind its own, no hook runs itself again.
    """
    first, run = [f"before=${{0%/*}}/{name}{BEFORE}", 'if [ -f "$before" ] && [ -x "$before" ]; then'], '"$before" "$@"'
    if name in CLIENT:
        run = f'TWOHAND_CHAINED="$PWD $before" {run}'
        first[1] = 'if [ "${TWOHAND_CHAINED-}" != "$PWD $before" ] && [ -f "$before" ] && [ -x "$before" ]; then'
    ended = "" if name == "post-receive" else " || exit"
    if name not in FED:
        return [*first, f"  {run}{ended}", "fi"]
    return [
        *first,
        *_kept("${GIT_DIR:-.}" if name in SERVER else "${0%/*}"),
        f"  {run} <&3 3<&- 4<&-{ended}",
        "  exec <&4 3<&- 4<&-",
        "fi",
    ]


def _kept(place: str) -> list[str]:
    """The input in a file without a fixed name, which is gone as soon as it is open twice."""
    return [
        f'  input=$(PATH=$twohand_path mktemp "{place}/twohand-input.XXXXXX") && PATH=$twohand_path cat >"$input" || {{',
        f'    PATH=$twohand_path rm -f "$input"; refuse "the list of pushed refs cannot be kept in" "{place}" 1',
        "  }",
        '  exec 3<"$input" 4<"$input"',
        '  PATH=$twohand_path rm -f "$input"',
    ]


def _start(name: str) -> list[str]:
    gone = 'refuse "its interpreter is gone or may not be run" "$twohand_interpreter"'
    missing = f'[ -x "$twohand_interpreter" ] || {gone}'
    command = f'"$twohand_interpreter" -I -c "$start" "$twohand_packages" {name} "$twohand_settings" "$@"'
    if name not in SERVER:
        return [missing, *_python(name), f"exec {command}"]
    kept = " ".join(f'${{{variable}+"{variable}=${variable}"}}' for variable in HANDED_ON)
    return [
        missing,
        *_python(name),
        f"set -- {command}",
        *_options(),
        f'exec /usr/bin/env -i "PATH=$twohand_path" {kept} "$@"',
    ]


def _options() -> list[str]:
    """Push options are as many variables as git counted."""
    return [
        "count=${GIT_PUSH_OPTION_COUNT:-0}",
        f"case $count in *[!0-9]* | ???????*) count={MOST_OPTIONS + 1} ;; esac",
        f'[ "$count" -le {MOST_OPTIONS} ] || refuse "this push has too many options" "at most {MOST_OPTIONS} are read"',
        'while [ "$count" -gt 0 ]; do',
        "  count=$((count - 1))",
        '  eval "value=\\${GIT_PUSH_OPTION_$count-}"',
        '  set -- "GIT_PUSH_OPTION_$count=$value" "$@"',
        "done",
    ]


def _python(name: str) -> list[str]:
    """What the interpreter runs. A twohand that cannot be imported says so, and how to recover."""
    return [
        "start='import sys",
        "if root := sys.argv.pop(1):",
        "    sys.path.insert(0, root)",
        "try:",
        "    from streams.hooks.entry import main",
        "except BaseException as error:",
        '    said = f"{type(error).__name__}: {error}"[:60]',
        f'    print(f"error: twohand cannot be loaded:\\nerror:   {{said}}\\nhint: {_again(name)}", file=sys.stderr)',
        f"    sys.exit({_stopping(name)})",
        "main()'",
    ]
