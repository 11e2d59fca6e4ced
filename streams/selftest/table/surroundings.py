"""What the pusher's environment and git try to tell the hook (law 10, 40)."""

import shutil
from pathlib import Path

from streams.selftest.arena import LETTERS, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import FOR_CERTIFICATES

NOBODY = "approval.missing"
MISSING = "provenance.missing"
ONTO_MAIN = ("HEAD:main", LETTERS)
FORGES = {
    "GL_ID": "user-1",
    "GL_USERNAME": "alice",
    "GL_PROTOCOL": "ssh",
    "GITEA_PUSHER_NAME": "alice",
    "GITHUB_USER_LOGIN": "alice",
    "GITHUB_PULL_REQUEST_AUTHOR_LOGIN": "alice",
}


def pushes(a: Arena, **env: str) -> Pushed:
    """A change that nobody approved, with these variables."""
    return a.made().push("HEAD:main", env=env)


def evil(a: Arena, name: str, data: str, *, executable: bool = False) -> Path:
    """A file of the pusher's."""
    path = a.root / "evil" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data)
    path.chmod(0o755 if executable else 0o644)
    return path


def settings(a: Arena) -> Pushed:
    """Settings of the pusher's own, which trust the pusher's own variables."""
    file = evil(a, "settings.toml", '[identity]\ntrust = ["gitlab", "gitea", "github"]\n')
    return a.made(propose=False).approve("bob").push(*ONTO_MAIN, env={"TWOHAND_SETTINGS": str(file), **FORGES})


def python_path(a: Arena) -> Pushed:
    evil(a, "sitecustomize.py", "import os\nos._exit(0)\n")
    evil(a, "streams/__init__.py", "")
    evil(a, "streams/hooks/__init__.py", "")
    evil(a, "streams/hooks/entry.py", "def main():\n    raise SystemExit(0)\n")
    home = str(a.root / "evil")
    return pushes(a, PYTHONPATH=home, PYTHONSTARTUP=f"{home}/sitecustomize.py", PYTHONHOME=home, PYTHONUSERBASE=home)


def search_path(a: Arena) -> Pushed:
    """Programs of the pusher's that say yes to everything."""
    for name in ("git", "ssh-keygen", "python3", "python", "env", "mktemp", "cat", "rm"):
        evil(a, name, "#!/bin/sh\nexit 0\n", executable=True)
    return pushes(a, PATH=f"{a.root / 'evil'}:{a.env['PATH']}")


def shell_start(a: Arena) -> Pushed:
    file = str(evil(a, "start.sh", "exit 0\n"))
    return pushes(a, ENV=file, BASH_ENV=file)


def shell_options(a: Arena) -> Pushed:
    """A shell that reads these would run nothing of the hook and be content."""
    functions = {f"BASH_FUNC_{name}%%": "() { exit 0; }" for name in ("exec", "printf", "set", "say", "[")}
    return pushes(a, SHELLOPTS="noexec:braceexpand", BASHOPTS="extglob", PS4="$(exit 0)", IFS="/", **functions)


def hooks_path(a: Arena, **env: str) -> Pushed:
    """git's configuration of the pusher names a directory without hooks."""
    file = evil(a, "config", f'[core]\n\thooksPath = {a.root}/evil\n[hook "pre-receive"]\n\tenabled = false\n')
    return pushes(a, GIT_CONFIG_GLOBAL=str(file), **env)


def config_variables(a: Arena) -> Pushed:
    """The same through variables."""
    return pushes(
        a,
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="core.hooksPath",
        GIT_CONFIG_VALUE_0=str(a.root),
        GIT_CONFIG_PARAMETERS=f"'core.hooksPath={a.root}'",
        GIT_CONFIG_NOSYSTEM="0",
    )


def replaced(a: Arena) -> Pushed:
    """Replacements lie in a namespace of the pusher's, which a variable names."""
    a.made().commit("his.py", by="bob").approve("bob")
    shown = a.git("commit-tree", "HEAD^{tree}", "-p", "origin/main", "-m", "Innocent")
    a.do("push", "-q", "origin", f"{shown}:refs/wip/{a.id()}")
    return a.push(*ONTO_MAIN, env={"GIT_REPLACE_REF_BASE": "refs/wip/"})


def certified(a: Arena) -> Pushed:
    """Variables as git sets them for a signed push; this one is not signed."""
    blob = a.git("hash-object", "-w", "--stdin", stdin=b"certificate version 0.1\npusher alice\n\n")
    fingerprint = a.ground.public["alice"]
    return (
        a.made(propose=False)
        .approve("bob")
        .push(
            *ONTO_MAIN,
            env={
                "GIT_PUSH_CERT": blob,
                "GIT_PUSH_CERT_STATUS": "G",
                "GIT_PUSH_CERT_SIGNER": "alice@example.com",
                "GIT_PUSH_CERT_KEY": fingerprint,
                "GIT_PUSH_CERT_NONCE": "1-a",
                "GIT_PUSH_CERT_NONCE_STATUS": "OK",
            },
        )
    )


def signing(a: Arena, name: str) -> Arena:
    """Pushes of this clone are signed."""
    return a.do("config", "gpg.format", "ssh").do("config", "user.signingKey", str(a.ground.keys / name))


def signed(a: Arena, name: str, *refspecs: str) -> Pushed:
    a.made(propose=False).approve("bob")
    return signing(a, name).push(*(refspecs or ONTO_MAIN), options=("--signed=true",))


def replayed(a: Arena) -> Pushed:
    """A certificate of alice's own, of another push, named by variables."""
    signing(a.branch().commit("own.py"), "alice").push("HEAD:refs/heads/own", options=("--signed=true",))
    found = a.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)", at=a.server)
    blobs = [row.split()[0] for row in found.splitlines() if row.endswith(" blob")]
    old = next((blob for blob in blobs if a.raw("cat-file", "blob", blob, at=a.server).startswith(b"certificate")), "")
    return (
        a.made(propose=False)
        .approve("bob")
        .push(
            *ONTO_MAIN,
            env={
                "GIT_PUSH_CERT": old,
                "GIT_PUSH_CERT_STATUS": "G",
                "GIT_PUSH_CERT_SIGNER": "alice@example.com",
                "GIT_PUSH_CERT_NONCE_STATUS": "OK",
            },
        )
    )


def nowhere(a: Arena) -> Pushed:
    """Directories that are none."""
    return pushes(
        a, TMPDIR="/nonexistent", HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent", GIT_TRACE2="/nonexistent"
    )


def gateless(a: Arena) -> Pushed:
    """The interpreter that the hook was installed with is gone."""
    hook = a.server / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace("twohand_interpreter=", "twohand_interpreter=/gone"))
    return a.made().approve("bob").push(*ONTO_MAIN)


def no_journal(a: Arena) -> Pushed:
    """The record of the gate is damaged."""
    shutil.copyfile(__file__, a.server / "twohand" / "journal.db")
    return a.made().approve("bob").push(*ONTO_MAIN)


# fmt: off
CASES = (
    Case("variable-settings", "Settings of the pusher's own.", "TWOHAND_SETTINGS=... git push", "10", settings, MISSING),
    Case("variable-forge", "The variables by which forges name a pusher, where no forge is trusted.", "GITHUB_USER_LOGIN=alice git push", "10",
         lambda a: a.made(propose=False).approve("bob").push(*ONTO_MAIN, env=FORGES), MISSING),
    Case("variable-python", "Python is told to load something else.", "PYTHONPATH=... git push", "40", python_path, NOBODY),
    Case("variable-path", "Programs of the pusher's stand first in the search path.", "PATH=... git push", "40", search_path, NOBODY),
    Case("variable-shell-start", "The shell is told to begin with the pusher's file.", "ENV=... BASH_ENV=... git push", "40", shell_start, NOBODY),
    Case("variable-shell-options", "The shell is told to run nothing, and to call the pusher's functions.", "SHELLOPTS=noexec git push", "40", shell_options, NOBODY),
    Case("variable-git-config", "git is told of another directory of hooks by a file.", "GIT_CONFIG_GLOBAL=... git push", "40", hooks_path, NOBODY),
    Case("variable-git-config-home", "The same by a home directory.", "HOME=... git push", "40",
         lambda a: hooks_path(a, XDG_CONFIG_HOME=str(a.root / "evil"), HOME=str(a.root / "evil")), NOBODY),
    Case("variable-git-options", "The same by variables.", "GIT_CONFIG_COUNT=1 git push", "40", config_variables, NOBODY),
    Case("variable-replacements", "Replacements from a namespace of the pusher's.", "GIT_REPLACE_REF_BASE=refs/wip/ git push", "1, 8", replaced, "self-review.identity"),
    Case("variable-namespace", "Another namespace of refs.", "GIT_NAMESPACE=x git push", "4", lambda a: pushes(a, GIT_NAMESPACE="x"), NOBODY),
    Case("variable-push-options", "A count of push options that are not there.", "GIT_PUSH_OPTION_COUNT=99999999 git push", "40",
         lambda a: pushes(a, GIT_PUSH_OPTION_COUNT="99999999"), NOBODY),
    Case("variable-nowhere", "Directories that are none.", "TMPDIR=/nonexistent git push", "40", nowhere, NOBODY),
    Case("certificate-invented", "The variables of a signed push, and no signature.", "GIT_PUSH_CERT_STATUS=G git push", "9, 10", certified, MISSING, FOR_CERTIFICATES),
    Case("certificate-replayed", "The certificate of another push.", "GIT_PUSH_CERT=... git push", "9, 10", replayed, MISSING, FOR_CERTIFICATES),
    Case("certificate-stranger", "A push that is signed with a key that nobody enrolled; git says that it is good.", "git push --signed", "9, 10",
         lambda a: signed(a, "mallory"), MISSING, FOR_CERTIFICATES),
    Case("certificate-untrusted", "A signed push where the settings do not trust certificates.", "git push --signed", "10",
         lambda a: signed(a, "alice"), MISSING),
    Case("certificate-approver", "Who signed the push approves what they pushed.", "git push --signed; twohand approve", "8, 9",
         lambda a: signed(a, "bob"), "self-review.identity", FOR_CERTIFICATES),
    Case("certificate-good", "The author signed the push, and somebody else approved.", "git push --signed", "9", lambda a: signed(a, "alice"), "", FOR_CERTIFICATES),
    Case("broken-interpreter", "The hook's interpreter is gone.", "git push", "40", gateless, "twohand cannot judge"),
    Case("broken-journal", "The gate's record is damaged.", "git push", "40", no_journal, "nothing was taken"),
)
# fmt: on
