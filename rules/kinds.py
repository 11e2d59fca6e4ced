"""What a path is: production code, tests, documentation, data, or what others wrote. By name only: content may lie."""

from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """How far the rules about weakened checks apply; hidden text and secrets are looked for in all of them."""

    PRODUCTION = "production"
    TEST = "test"
    DOCS = "docs"
    DATA = "data"
    GENERATED = "generated"
    VENDORED = "vendored"


LANGUAGES = {
    b"py": "python", b"pyi": "python", b"pyw": "python",
    b"js": "javascript", b"mjs": "javascript", b"cjs": "javascript", b"jsx": "javascript",
    b"ts": "typescript", b"mts": "typescript", b"cts": "typescript", b"tsx": "tsx",
    b"go": "go", b"java": "java",
    b"rb": "ruby", b"rake": "ruby", b"gemspec": "ruby", b"ru": "ruby",
    b"php": "php", b"phtml": "php", b"inc": "php",
    b"rs": "rust", b"c": "c", b"h": "c",
    b"cc": "cpp", b"cpp": "cpp", b"cxx": "cpp", b"hpp": "cpp", b"hh": "cpp",
    b"cs": "csharp", b"kt": "kotlin", b"kts": "kotlin",
}  # fmt: skip

_VENDORED = {b"vendor", b"vendors", b"node_modules", b"third_party", b"third-party", b"thirdparty", b"bower_components"}
_TESTS = {
    b"test", b"tests", b"testdata", b"__tests__", b"__mocks__", b"spec", b"specs", b"e2e", b"fixtures", b"cypress",
    b"testcases", b"unittests", b"integrationtest", b"testfixtures", b"bench", b"benchmarks",
}  # fmt: skip
_DOCS = {b"doc", b"docs", b"documentation", b"examples", b"example", b"samples", b"demo", b"demos", b"release-notes"}
_DOC_ENDINGS = (b".md", b".mdx", b".rst", b".adoc", b".asciidoc", b".markdown", b".org")
_DOC_NAMES = (b"changelog", b"license", b"licence", b"copying", b"notice", b"authors", b"contributors", b"readme")
_DATA_ENDINGS = (
    b".json", b".yaml", b".yml", b".toml", b".ini", b".cfg", b".lock", b".csv", b".tsv", b".po", b".pot", b".xlf",
    b".xliff", b".svg", b".txt", b".css", b".scss", b".less", b".properties", b".sum", b".mod", b".xml", b".plist",
    b".map", b".snap", b".editorconfig", b".gitignore", b".jsonl", b".strings",
)  # fmt: skip
_GENERATED_ENDINGS = (
    b".min.js", b".min.css", b".pb.go", b"_pb2.py", b"_pb2_grpc.py", b".g.dart", b".designer.cs", b".bundle.js",
    b".generated.go", b".generated.ts", b".gen.go", b"_generated.go", b"-lock.json", b".map",
)  # fmt: skip
_TEST_ENDINGS = (b"_test", b"_tests", b"_spec", b".test", b".tests", b".spec", b".specs", b"-test", b"-spec", b".cy")


@lru_cache(maxsize=4096)
def classify(path: bytes) -> Kind:
    """The kind of a path, without regard to case."""
    *directories, name = path.lower().split(b"/")
    if not _VENDORED.isdisjoint(directories):
        return Kind.VENDORED
    if name.endswith(_GENERATED_ENDINGS):
        return Kind.GENERATED
    if not _TESTS.isdisjoint(directories) or _is_test_name(name, path.rsplit(b"/", 1)[-1]):
        return Kind.TEST
    if name.endswith(_DOC_ENDINGS) or name.startswith(_DOC_NAMES) or not _DOCS.isdisjoint(directories):
        return Kind.DOCS
    return Kind.DATA if name.endswith(_DATA_ENDINGS) else Kind.PRODUCTION


def _is_test_name(name: bytes, written: bytes) -> bool:
    stem = name.rsplit(b".", 1)[0]
    if name.startswith(b"test_") or stem.endswith(_TEST_ENDINGS) or name in (b"conftest.py", b"test.py", b"tests.py"):
        return True
    return written.rsplit(b".", 1)[0].endswith((b"Test", b"Tests", b"TestCase", b"Spec"))


def language(path: bytes) -> str:
    """The grammar's name, or "" where there is none."""
    name = path.lower().rsplit(b"/", 1)[-1]
    if name in (b"rakefile", b"gemfile"):
        return "ruby"
    return LANGUAGES.get(name.rsplit(b".", 1)[-1], "") if b"." in name else ""
