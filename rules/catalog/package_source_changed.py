"""Packages, submodules or tools come from another place."""

from collections.abc import Iterator
from typing import ClassVar

from rules import manifests, switches
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_INDEX = (
    rb"(?i)--(?:extra-)?index-url[= ]\s*\S+|--trusted-host[= ]\s*\S+|--find-links[= ]\s*\S+|^(?:extra-)?index-url\s*=\s*\S+|^trusted-host\s*=\s*\S+|"
    rb"--registry[= ]\s*[\"']?https?://\S+|npm config set registry \S+|^(?:@[\w-]+:)?registry\s*=\s*[\"']?https?://\S+|npmRegistryServer[\"']?\s*:\s*\S+|"
    rb"^strict-ssl\s*=\s*false|--allow-insecure\S*|--no-verify-ssl|GOPROXY\s*[=:]\s*\S+|GONOSUM(?:DB|CHECK)\s*[=:]\s*\S+|GOFLAGS\s*[=:]\s*\S*-insecure|"
    rb"GOSUMDB\s*[=:]\s*[\"']?off|GOINSECURE\s*[=:]\s*\S+|--allow-unauthenticated|trusted=yes|gpgcheck\s*=\s*0|--nogpgcheck"
)
_PIPED = rb"(?i)\b(?:curl|wget)\b[^\n|;]{0,300}\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:ba|z|da|k)?sh\b|\b(?:ba)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()\s*(?:curl|wget)\b|\biex\b[^\n]{0,40}\b(?:iwr|irm|DownloadString)"
_URL = rb"(?i)^url\s*=\s*(\S+)"
_REPLACE = rb"^(?:replace\s+)?[\w./-]+\.[a-z]+/[\w./-]+(?:\s+v\S+)?\s+=>\s+([\w.-]+\.[a-z]+/\S+)"


class PackageSourceChanged(Rule):
    """Packages, submodules or tools come from another place.

    ## What it does
    Finds registries and package indexes that are new, checks of the source that are switched off, submodules that lead elsewhere, Go modules
    that are replaced by another one. A script that is fetched and run in one breath (`curl ... | sh`) is a note.

    ## Why it matters
    The name of the package stays, and another one is installed.

    ## Example
    `requirements.txt` gains `--extra-index-url`, and whoever registers the project's internal names there is installed.

    ## What to do instead
    Use one index that serves both kinds of packages, and let its owner answer for a new one.
    """

    id, slug, tier, since = "TH602", "package-source-changed", Tier.HOLD, "0.1"
    triggers: ClassVar = (_INDEX.replace(b"^", b"(?m:^)"), _PIPED, rb"(?im)^\s*url\s*=", rb"=>\s+\S")

    HOLDS: ClassVar = (
        Diff("requirements.txt", "a==1\n", "--extra-index-url https://a.example/simple\na==1\n"),
        Diff(".npmrc", "", "registry=https://a.example/\n"),
        Diff(
            ".gitmodules",
            '[submodule "a"]\n\turl = https://a.example/a\n',
            '[submodule "a"]\n\turl = https://b.example/a\n',
        ),
        Diff("go.mod", "", "replace github.com/a/b => github.com/c/b v1.0.0\n"),
    )
    PASSES: ClassVar = (
        Diff("README.md", "", "pip install --index-url https://a.example a\n"),
        Diff(".gitmodules", "\turl = https://a.example/a\n", "\turl = https://a.example/a.git\n"),
        Diff("go.mod", "", "replace github.com/a/b => ../b\n"),
        Diff("install.sh", "", "curl -fsSL https://a.example/i.sh | sh\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """By the kind of file."""
        if edit.kind is Kind.DOCS:
            return
        name = manifests.base(edit.path)
        tier = switches.weight(edit, self.tier) or Tier.NOTE
        for line, what in switches.on(edit, _INDEX):
            told = what.lower()
            if not found(
                rb"registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org/simple|proxy\.golang\.org|npm\.pkg\.github\.com|download\.pytorch\.org|\$\{?\w*registry",
                told,
            ):
                yield self.came(
                    edit,
                    line.number,
                    f"packages are taken from elsewhere, or less checked: `{visible(what)}`",
                    tier=tier,
                )
        for line, what in switches.on(edit, _PIPED):
            yield self.came(edit, line.number, f"what is fetched is run unseen: `{visible(what)[:80]}`", tier=Tier.NOTE)
        if name == b".gitmodules":
            yield from self._places(edit, _URL, "a submodule leads to", known=True)
        elif name == b"go.mod":
            yield from self._places(edit, _REPLACE, "a module is replaced by", known=False)

    def _places(self, edit: Edit, text: bytes, said: str, *, known: bool) -> Iterator[Finding]:
        before = {_place(what) for _, what in switches.off(edit, text)}
        for line, what in switches.on(edit, text):
            if _place(what) not in before and _place(what) not in what.split(b"=>")[0].split():
                tier = self.tier if before or not known else Tier.NOTE
                yield self.came(edit, line.number, f"{said} another place: `{visible(_place(what))}`", tier=tier)


def _place(what: bytes) -> bytes:
    """An address without what does not change whose it is."""
    target = what.split(b"=>")[-1].strip().split(b" ")[0] if b"=>" in what else what.split(b"=", 1)[-1].strip()
    return (
        target.lower()
        .removesuffix(b"/")
        .removesuffix(b".git")
        .split(b"://")[-1]
        .removeprefix(b"git@")
        .replace(b":", b"/")
    )
