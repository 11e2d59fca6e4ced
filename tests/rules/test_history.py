"""What a commit in history says: one word for its makers, vendors' keys, merged branches, signs of review."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import commits, history, lineage, quick, signers
from rules.claims import Claim

HEAD = "tree {tree}\nauthor {author} 1700000000 +0000\ncommitter {committer} 1700000000 +0000\n"
ANN = "Ann Example <ann@example.org>"
CLAUDE = "Claude <noreply@anthropic.com>"
GITHUB = "GitHub <noreply@github.com>"
DEPENDABOT = "dependabot[bot] <1+dependabot[bot]@users.noreply.github.com>"


def raw(message: str = "x", author: str = ANN, committer: str = "", extra: str = "") -> bytes:
    head = HEAD.format(tree="1" * 40, author=author, committer=committer or author)
    return f"{head}{extra}\n{message}".encode("utf-8", "surrogateescape")


def made(message: str = "x", author: str = ANN, committer: str = "") -> history.Made:
    commit = quick.parse("a" * 40, raw(message, author, committer))
    found = history.nobody().of(commit)
    assert found == history.nobody().answer(history.nobody().said(commit))
    return found.made


@pytest.mark.parametrize(
    ("message", "author", "committer", "kind", "marks"),
    [
        ("Fix", ANN, "", "human", ()),
        ("Fix", ANN, GITHUB, "human", ()),
        ("Fix", CLAUDE, "", "agent", ("author", "committer")),
        ("Fix", CLAUDE, ANN, "agent", ("author",)),
        ("Fix", ANN, CLAUDE, "mixed", ("committer",)),
        (f"Fix\n\nCo-authored-by: {ANN}", CLAUDE, GITHUB, "agent", ("author",)),
        (f"Fix\n\nCo-authored-by: {CLAUDE}", ANN, "", "mixed", ("co-author",)),
        ("Fix", "Ann Example (aider) <ann@example.org>", ANN, "mixed", ("author",)),
        ("Bump a", DEPENDABOT, GITHUB, "service", ()),
        (f"Bump a\n\nCo-authored-by: {CLAUDE}", DEPENDABOT, GITHUB, "agent", ("co-author",)),
        ("Fix", " <>", "", "unknown", ()),
        ("Claude wrote this, said Ann", "Claude Duroc <claude@duroc.example>", "", "human", ()),
    ],
)
def test_one_word_for_the_makers(message, author, committer, kind, marks):
    """agent: the author is a tool; mixed: a person's name and a tool's mark; silence of a person is human (law 10, 11)."""
    found = made(message, author, committer)
    assert (found.kind, found.marks) == (kind, marks)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Crush:openai/gpt-5.5", {("crush", "openai")}),
        ("OpenCode:anthropic/claude-opus-4-5", {("opencode", "anthropic")}),
        ("Claude:claude-opus-5 / Codex:gpt-5.2", {("claude", "anthropic"), ("codex", "openai")}),
        ("Claude/Codex", {("claude", "anthropic"), ("codex", "openai")}),
    ],
)
def test_a_slash_inside_a_model_is_no_list(value, expected):
    """`TOOL:MAKER/MODEL` names one agent."""
    agents = [author for author in made(f"Fix\n\nAssisted-by: {value}\n").authors if author.kind == "agent"]
    assert {(author.tool, author.maker) for author in agents} >= {
        (t, m) for t, m in expected if t != "codex" or ":" in value
    }
    assert {author.tool for author in agents} == {tool for tool, _ in expected}


def test_what_only_the_committer_line_shows_is_unmarked():
    """A reader of author line and message would see nothing."""
    assert made(author=ANN, committer=CLAUDE).unmarked
    assert not made(author=CLAUDE).unmarked
    assert not made().unmarked


def test_the_text_of_authors_is_that_of_a_decision():
    """Null where something is unknown, evidence with channel and grade."""
    row = history.author_rows(made(author=CLAUDE).authors)[0]
    assert (row["kind"], row["tool"], row["maker"], row["session"], row["accountable"]) == (
        "agent", "claude", "anthropic", None, False,
    )  # fmt: skip
    assert row["evidence"][0] == {"channel": "author", "grade": "D", "claim": CLAUDE}


# -- keys of vendors --------------------------------------------------------------------------------------------------


def test_what_is_no_key_has_no_fingerprint():
    """Any text may stand where a key should."""
    assert [signers.fingerprint(text) for text in ("", "nothing", "ssh-rsa !", "ssh-rsa é")] == [""] * 4


def test_every_known_signer_has_its_evidence():
    """A row is a key, a tool of the table, and a sentence about where the key was seen."""
    for row in lineage.table("signers.toml")["signer"]:
        assert set(row) == {"key", "tool", "evidence"}
        assert signers.fingerprint(row["key"]).startswith("SHA256:")
        assert lineage.named(row["tool"]) is not None
        assert len(row["evidence"]) > 40


# -- branches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "branch"),
    [
        ("Merge pull request #12 from org/claude/fix-it", "claude/fix-it"),
        ("Merge pull request #12 from devin/patch-1", "patch-1"),
        ("Merge branch 'copilot/fix' into main", "copilot/fix"),
        ("Merge remote-tracking branch 'origin/codex/x'", "codex/x"),
        ("Merge claude/fix", ""),
        ("Describe how to merge branch 'claude/x'", ""),
    ],
)
def test_the_branch_that_a_merge_names(subject, branch):
    """As git and forges write it; prose is none."""
    assert history.merged_branch(subject + "\n\nfrom x/claude/y") == branch


# -- the short reader -------------------------------------------------------------------------------------------------

line = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=12)
header = st.one_of(
    st.sampled_from(
        [
            "tree " + "1" * 40, "parent " + "2" * 40, f"author {ANN} 1700000000 +0000", f"committer {CLAUDE} 5 -0130",
            "author ü <u@x> 1 +0000", "encoding latin-1", "gpgsig -----BEGIN SSH SIGNATURE-----", " x", "mergetag a", "",
            "author nobody", "gpgsig-sha256 y",
        ]
    ),
    line,
)  # fmt: skip


@given(st.lists(header, max_size=9), st.binary(max_size=40), st.sampled_from(["a" * 40, "b" * 64]))
def test_the_short_reader_says_what_the_whole_one_says(lines, message, name):
    """Whatever the bytes: only the payload, which nobody asks for, is left out."""
    data = "\n".join(lines).encode() + b"\n\n" + message
    assert quick.parse(name, data) == commits.parse(name, data)._replace(payload=b"")


@given(st.sampled_from([raw(), raw("ü\r\n"), raw(author="Ünal <u@x>"), raw(extra="gpgsig a\n b\n"), raw("x\0y")]))
def test_the_short_reader_reads_usual_commits(data):
    """Usual shapes, also those that it leaves to the whole reader."""
    assert quick.parse("a" * 40, data) == commits.parse("a" * 40, data)._replace(payload=b"")


def test_claims_of_unknown_kind_make_nobody():
    """A claim without kind and tool changes no word."""
    assert history.kind([Claim("author", "D", name="x")]) == "unknown"
    assert history.kind([]) == "unknown"


@pytest.mark.parametrize(
    ("text", "tool", "session"),
    [
        ("https://claude.ai/code/session_01AbCd", "claude", "claude-web:session_01AbCd"),
        ("- https://ampcode.com/threads/T-00000000-0000-4000-8000-000000000001", "amp", "amp:T-00000000-0000-4000-8000-000000000001"),
        ("Link to Devin run: https://app.devin.ai/sessions/0123abcd", "devin", "devin:0123abcd"),
        ("https://app.devin.ai/sessions/0123abcd", "devin", "devin:0123abcd"),
        ("See https://claude.ai/code/session_01AbCd", "", ""),
        ("https://claude.ai/code/session_01AbCd says why", "", ""),
        ("https://claude.ai/code/", "", ""),
    ],
)  # fmt: skip
def test_the_address_of_a_session_alone_on_its_line_is_a_mark(text, tool, session):
    """The footer of a session without a label; in a sentence it is prose."""
    agents = [author for author in made(f"Fix\n\nBody.\n\n{text}\n").authors if author.kind == "agent"]
    assert [(author.tool, author.session) for author in agents] == ([(tool, session)] if tool else [])


@pytest.mark.parametrize("label", ["Assited-by", "Co-autored-by", "Co-authored"])
def test_labels_that_people_misspell_are_read(label):
    """Each was seen in a public history."""
    assert made(f"Fix\n\n{label}: Claude Opus 5 <noreply@anthropic.com>\n").kind == "mixed"
