"""HTML as a browser takes it apart, so that a test can say what may be in it."""

from html.parser import HTMLParser

TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "header",
        "nav",
        "img",
        "span",
        "form",
        "input",
        "button",
        "main",
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "ul",
        "ol",
        "li",
        "strong",
        "section",
        "details",
        "summary",
        "code",
        "pre",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "del",
        "ins",
        "time",
        "dl",
        "dt",
        "dd",
        "footer",
        "label",
        "select",
        "option",
    ]
)
ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "name",
        "content",
        "rel",
        "href",
        "src",
        "type",
        "defer",
        "class",
        "id",
        "tabindex",
        "aria-current",
        "aria-label",
        "aria-labelledby",
        "aria-live",
        "aria-hidden",
        "alt",
        "width",
        "height",
        "role",
        "method",
        "action",
        "value",
        "maxlength",
        "for",
        "hidden",
        "data-copy",
        "datetime",
        "scope",
        "colspan",
        "open",
        "title",
        "hx-get",
        "hx-select",
        "hx-trigger",
        "autocomplete",
        "required",
    ]
)
ADDRESSES = ("href", "src", "action", "hx-get")
EMPTY = frozenset(("meta", "link", "img", "input"))


class Page(HTMLParser):
    """`problems` is what no page of ours may hold; `texts` are the texts of all elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        if self._open:
            self.problems.append(f"not closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.problems.append(f"<{tag} {name}>")
            if name in ADDRESSES and not _ours(value or ""):
                self.problems.append(f"<{tag} {name}={value!r}>")
            if name == "href" and tag == "a":
                self.links.append(value or "")
            if name == "id":
                self.names.append(value or "")
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> out of place")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open and self._open[-1] in ("script", "style") and data.strip():
            self.problems.append(f"inline {self._open[-1]}")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"<!--{data}-->")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"<![{data}]>")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def _ours(address: str) -> bool:
    return address == "" or address.startswith("#") or (address.startswith(("/", "?")) and not address.startswith("//"))
