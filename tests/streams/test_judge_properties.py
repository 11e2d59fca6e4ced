"""Whatever is answered: an approval is a completed, valid, whole answer to this request by this model, or it is none."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from reviewers.answer import read
from reviewers.combined import Reply, combined
from reviewers.judging import Endpoint, Limits, Status, Word
from reviewers.request import asked
from reviewers.sheets import sheets
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.judged import QUESTION, ask, endpoint

WHERE = Endpoint("https://llm.example/v1", "qwen3-coder", limits=Limits(part=40))
SHOWN = sheets(QUESTION.blobs, WHERE.limits.part)
PASS = asked(SHOWN.parts, WHERE, "0" * 32)
ANY = st.characters(exclude_categories=())  # lone surrogates too
WORDS = st.sampled_from(["approve", "APPROVE", "approved", "object", "abstain", "", None, 1, True])
NONCES = st.sampled_from([*(request.nonce for request in PASS.requests), "", "0" * 12, None])
PLACES = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["pay.py", "gone.py", "x", "", "\udfff"]), "side": st.sampled_from(["old", "new", "both"]),
        "line": st.integers(-1, 4), "quote": st.sampled_from(["    check(user)", "a = 1", "", "x", "\ud800"]),
        "severity": st.sampled_from(["hold", "note", "none"]), "message": st.text(ANY, max_size=9),
    }
)  # fmt: skip
MARKS = st.sampled_from([*(list(request.marks) for request in PASS.requests), [], None])
ANSWERS = st.fixed_dictionaries(
    {
        "nonce": NONCES,
        "marks": MARKS,
        "verdict": WORDS,
        "reason": st.text(ANY, max_size=9),
        "findings": st.lists(PLACES, max_size=2),
    },
    optional={"waive": st.text(ANY, max_size=3), "scope": st.none()},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(ANY, max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(ANY, max_size=5), inner, max_size=3),
    max_leaves=6,
)
CONTENT = st.one_of(ANSWERS.map(json.dumps), JSON.map(json.dumps), st.text(max_size=30))
MESSAGES = st.fixed_dictionaries({"content": CONTENT | st.none()}, optional={"refusal": st.sampled_from(["", "no"])})
CHOICES = st.fixed_dictionaries(
    {"message": MESSAGES | JSON, "finish_reason": st.sampled_from(["stop", "stop", "length", "tool_calls", None])}
)
ENVELOPES = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, min_size=1, max_size=2) | st.none()},
    optional={"model": st.sampled_from(["qwen3-coder", "gpt-5.2", 3]), "usage": JSON, "error": JSON},
)
BODIES = st.one_of(ENVELOPES.map(lambda value: json.dumps(value).encode()), st.binary(max_size=40))


def approving(request):
    said = {"nonce": request.nonce, "marks": request.marks, "verdict": "approve", "reason": "fine", "findings": []}
    content = json.dumps(said)
    choice = {"message": {"content": content}, "finish_reason": "stop"}
    return json.dumps({"model": "qwen3-coder", "choices": [choice]}).encode()


def is_a_clean_approval(body, request):
    """Read anew, with nothing of ours: what an approval has to be."""
    envelope = json.loads(body)
    (choice,) = envelope["choices"]
    said = json.loads(choice["message"]["content"])
    return (
        not envelope.get("error")
        and envelope.get("model", "qwen3-coder") in ("qwen3-coder", 3)
        and choice["finish_reason"] == "stop"
        and not choice["message"].get("refusal")
        and {*said} == {"nonce", "marks", "verdict", "reason", "findings"}
        and (said["nonce"], said["verdict"]) == (request.nonce, "approve")
        and said["marks"] == [*request.marks]
    )


@settings(max_examples=600, deadline=None)
@given(st.tuples(*(BODIES | st.just(approving(request)) for request in PASS.requests)))
def test_no_answers_whatsoever_approve_but_clean_ones_to_every_part(bodies):
    """Law 40, over any bytes: approval is completed, valid, of this request, whole, and by one declared model."""
    replies = [Reply(request, read(body, request)) for request, body in zip(PASS.requests, bodies, strict=True)]
    verdict = combined(SHOWN, replies, WHERE, due=len(replies))
    if verdict.verdict is Word.APPROVE:
        assert verdict.status is Status.COMPLETED
        assert verdict.coverage.is_whole
        for request, body in zip(PASS.requests, bodies, strict=True):
            assert is_a_clean_approval(body, request)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), min_size=len(PASS.requests), max_size=len(PASS.requests)))
def test_an_answer_that_is_missing_is_no_approval(there):
    """Whichever parts were answered, all of them are needed."""
    told = [request for request, here in zip(PASS.requests, there, strict=True) if here]
    replies = [Reply(request, read(approving(request), request)) for request in told]
    verdict = combined(SHOWN, replies, WHERE, due=len(PASS.requests))
    assert (verdict.verdict is Word.APPROVE) == all(there)


@settings(max_examples=40, deadline=None)
@given(
    text=CONTENT, status=st.sampled_from([200, 200, 200, 201, 400, 500]), finish=st.sampled_from(["stop", "length"]),
    cut=st.sampled_from([-1, -1, 5, 200]), reports=st.sampled_from(["", "gpt-5.2"]),
)  # fmt: skip
def test_no_script_makes_the_client_approve(text, status, finish, cut, reports):
    """The same over real HTTP: no script that does not echo the mark in a valid answer is ever an approval."""
    rule = Rule(text=text or " ", status=status, finish=finish, cut=cut, reports=reports)
    with ScriptedServer([rule]) as server:
        verdict = ask(endpoint(server.url, limits=Limits(attempts=1)), deadline=5.0)
    assert verdict.verdict is not Word.APPROVE
    assert verdict.why
