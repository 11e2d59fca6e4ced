"""What a project depends on: the names and versions in manifests and lock files, read line by line in linear time."""

from collections.abc import Iterator
from typing import NamedTuple

from rules.lines import Line
from rules.patterns import pattern

_NPM = rb"^[\"'](@?[\w./-]{1,100})[\"']\s*:\s*[\"']((?:[\^~<>=v]|npm:|\d|\*|git|http|file:|github:|workspace:|link:|latest)[^\"']{0,200})[\"']"
_PYTHON = rb"^[\"']?([A-Za-z][\w.-]{0,100})(?:\[[\w, -]*\])?\s*((?:===?|~=|>=|<=|<|>|!=|@|=\s*[\"'{])[^#\n]{0,200})?[\"']?\s*,?\s*(?:[#;].*)?$"
_RUBY = (
    rb"^(?:gem|\w+\.add_(?:runtime_|development_)?dependency)[ (]+[\"']([\w.-]{1,100})[\"']\)?(?:\s*,\s*(.{0,200}))?"
)
_GO = rb"^(?:require\s+)?([a-z0-9][\w.-]*\.[a-z]{2,}/[\w./~-]{1,150})\s+(v\d[\w.+-]{0,80})"
_RUST = rb"^([A-Za-z][\w-]{0,100})\s*=\s*([\"'{].{0,200})"
_COMPOSER = rb"^[\"']([a-z0-9][\w.-]*/[\w.-]{1,100})[\"']\s*:\s*[\"']([^\"']{1,100})[\"']"
_MAVEN = rb"^<artifactId>([\w.-]{1,100})</artifactId>()"
_GRADLE = rb"^(?:implementation|api|compileOnly|runtimeOnly|testImplementation|kapt|annotationProcessor)\b[ (]+[\"']([\w.-]+:[\w.-]+)(?::([\w.+-]+))?"

_MANIFESTS = {
    b"package.json": _NPM, b"pyproject.toml": _PYTHON, b"setup.cfg": _PYTHON, b"pipfile": _RUST, b"gemfile": _RUBY, b"go.mod": _GO,
    b"cargo.toml": _RUST, b"composer.json": _COMPOSER, b"pom.xml": _MAVEN, b"build.gradle": _GRADLE, b"build.gradle.kts": _GRADLE,
}  # fmt: skip
LOCKS = {
    b"package-lock.json": (b"package.json",), b"npm-shrinkwrap.json": (b"package.json",),
    b"yarn.lock": (b"package.json", b".yarnrc.yml"), b"pnpm-lock.yaml": (b"package.json", b"pnpm-workspace.yaml"),
    b"bun.lock": (b"package.json",), b"bun.lockb": (b"package.json",),
    b"poetry.lock": (b"pyproject.toml",), b"uv.lock": (b"pyproject.toml", b"uv.toml"), b"pdm.lock": (b"pyproject.toml",),
    b"pipfile.lock": (b"pipfile",), b"gemfile.lock": (b"gemfile", b".gemspec"), b"cargo.lock": (b"cargo.toml",),
    b"composer.lock": (b"composer.json",), b"go.sum": (b"go.mod", b"go.work"), b"mix.lock": (b"mix.exs",),
    b"pubspec.lock": (b"pubspec.yaml",), b"packages.lock.json": (b".csproj", b"directory.packages.props"),
}  # fmt: skip
_NO_NAMES = frozenset({
    b"name", b"version", b"description", b"license", b"main", b"type", b"homepage", b"node", b"npm", b"engines", b"python", b"edition",
    b"rust-version", b"requires-python", b"resolver", b"path", b"target-version", b"line-length", b"minversion", b"packagemanager",
    b"schema", b"build-backend", b"authors", b"email", b"readme", b"url", b"include", b"exclude", b"default", b"features", b"publish",
    b"php", b"dynamic", b"classifiers", b"keywords", b"python_requires", b"dependencies", b"requires", b"source", b"omit", b"select",
    b"ignore", b"extend", b"fail_under", b"testpaths", b"addopts", b"plugins", b"packages", b"long_description", b"author", b"maintainers",
})  # fmt: skip


class Dependency(NamedTuple):
    """A name as the package manager knows it, and what the manifest asks of its version."""

    name: bytes
    version: bytes
    line: Line


def base(path: bytes) -> bytes:
    """The file's name in lower case."""
    return path.lower().rsplit(b"/", 1)[-1]


def is_lock(path: bytes) -> bool:
    """Whether a package manager wrote down here what exactly it installs."""
    return base(path) in LOCKS


def is_manifest(path: bytes) -> bool:
    """Whether people write down here what the project depends on."""
    return _reader(base(path)) is not None


def dependencies(path: bytes, lines: tuple[Line, ...]) -> Iterator[Dependency]:
    """The dependencies that these lines of a manifest name."""
    text = _reader(base(path))
    for line in lines if text is not None else ():
        match = pattern(text or b"").search(line.text[:1000])
        if match is not None and match.group(1).lower() not in _NO_NAMES:
            version = (match.group(2) or b"").strip(b" \"'^~=><v,")
            yield Dependency(_normal(match.group(1)), version, line)


def _reader(name: bytes) -> bytes | None:
    if name.endswith(b".txt") and (b"requirements" in name or b"constraints" in name):
        return _PYTHON
    return _RUBY if name.endswith(b".gemspec") else _MANIFESTS.get(name)


def _normal(name: bytes) -> bytes:
    return name.lower().replace(b"_", b"-")
