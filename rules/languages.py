"""The language of a path, by its name alone. Names are lower case, as `when = { languages = [...] }` takes them."""

from typing import Final

_EXTENSIONS: Final = {
    "c": "c h",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp",
    "csharp": "cs csx cshtml razor",
    "css": "css scss sass less",
    "dart": "dart",
    "docker": "dockerfile containerfile",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "go": "go",
    "groovy": "groovy gradle",
    "haskell": "hs lhs",
    "hcl": "hcl tf tfvars nomad",
    "html": "html htm xhtml vue svelte",
    "java": "java jsp",
    "javascript": "js jsx mjs cjs",
    "json": "json json5 jsonc",
    "kotlin": "kt kts",
    "lua": "lua",
    "make": "mk mak",
    "markdown": "md markdown mdx",
    "objectivec": "m mm",
    "perl": "pl pm t",
    "php": "php phtml php5 php7 phps inc",
    "powershell": "ps1 psm1 psd1",
    "protobuf": "proto",
    "python": "py pyi pyw pyx pxd",
    "r": "r rmd",
    "ruby": "rb rake erb gemspec ru",
    "rust": "rs",
    "scala": "scala sc sbt",
    "shell": "sh bash zsh ksh fish",
    "solidity": "sol",
    "sql": "sql",
    "swift": "swift",
    "toml": "toml",
    "typescript": "ts tsx mts cts",
    "xml": "xml xsd xsl xslt plist",
    "yaml": "yaml yml",
    "zig": "zig",
}
_NAMES: Final = {
    "docker": "dockerfile containerfile",
    "groovy": "jenkinsfile",
    "make": "makefile gnumakefile bsdmakefile",
    "python": "sconstruct wscript",
    "ruby": "gemfile rakefile vagrantfile podfile fastfile brewfile",
    "shell": ".bashrc .bash_profile .profile .zshrc .envrc",
}
LANGUAGES: Final = tuple(_EXTENSIONS)
_BY_EXTENSION: Final = {end.encode(): language for language, ends in _EXTENSIONS.items() for end in ends.split()}
_BY_NAME: Final = {name.encode(): language for language, names in _NAMES.items() for name in names.split()}


def language_of(path: bytes) -> str:
    """The language of a file's name; "" where the name does not tell."""
    name = path.rpartition(b"/")[2].lower()
    known = _BY_NAME.get(name) or _BY_NAME.get(name.partition(b".")[0])
    return known or _BY_EXTENSION.get(name.rpartition(b".")[2] if b"." in name else b"", "")
