"""Sentences that tell whoever reviews a change what to decide, in nine languages. Matched on bytes, in linear time.

Between two words may stand what hides a sentence from a plain search: line breaks, comment signs, dashes, underscores.
"""

from functools import lru_cache
from typing import NamedTuple

from rules import packaged
from rules.patterns import Triggers, pattern

_GAP = rb"[\s\W_]{1,12}"
_WHOM = rb"(?:reviewers?|review (?:bots?|agents?|models?)|(?:ai|llm|automated|code) (?:reviewers?|assistants?|agents?|models?))"
_MACHINE = rb"(?:(?:review|ai|llm|automated) (?:bots?|agents?|models?|reviewers?|assistants?)|language models?)"
_FORGET = rb"(?i)\b(?:ignore|disregard|forget|override) (?:(?:all|any|the|your|my|every|of) ){0,3}"
_OLD_ORDERS = (
    rb"(?:previous|prior|above|earlier|preceding|system) (?:instructions?|prompts?|rules|directions|guidelines|context)"
)
_MUST = rb" (?:must|should|shall|need to|are to|please) (?:now |always |please |safely |just )?"
_DO = rb"(?:approve|accept|ignore|skip|merge|pass|admit|(?:answer|reply|respond|say|output|vote|return) (?:with )?(?:approved?|lgtm|yes|pass|accept)|not (?:flag|report|review|block))"
_DONE = rb"(?i)\bthis (?:change|code|diff|file|commit|pr|pull request|patch|function) (?:is|was|has been) (?:already |fully |pre )?"
_BY = rb"(?:approved|reviewed|audited|vetted|cleared)(?: and approved)? by (?:the )?(?:security|owner|maintainers?|human|review)"


class Phrase(NamedTuple):
    """`plain` = a sentence that documents for people hold as well."""

    text: bytes
    plain: bool


def _spread(text: bytes) -> bytes:
    return text.replace(b" ", _GAP)


_ENGLISH = (
    Phrase(_FORGET + _OLD_ORDERS, plain=False),
    Phrase(rb"(?i)\b" + _MACHINE + _MUST + _DO, plain=False),
    Phrase(rb"(?i)\b" + _WHOM + _MUST + _DO, plain=True),
    Phrase(rb"(?i)\b(?:verdict|review result|review status|review decision)\W{1,8}(?:approved?|accept(?:ed)?|admit(?:ted)?|lgtm|pass(?:ed)?)\b", plain=True),
    Phrase(rb"(?i)\b(?:do not|don t|never|please don t) (?:flag|report|object to|block) (?:this|these|the following) (?:change|code|diff|line|file|commit|finding)", plain=True),
    Phrase(_DONE + _BY, plain=True),
    Phrase(rb"(?i)\b(?:note|message|instructions?|attention|dear|hey|hello) (?:to |for )?(?:the )?(?:ai|llm|automated|code) reviewers?\b", plain=True),
    Phrase(rb"(?i)\byou are (?:now )?(?:a|an|the) (?:\w+ ){0,4}(?:code reviewer|reviewer of|auditor of)\b", plain=True),
    Phrase(rb"(?i)<\|(?:im_start|im_end|system|endoftext)\|>|\[/?INST\]|\bBEGIN SYSTEM PROMPT\b|</?system_prompt>", plain=True),
)  # fmt: skip


@lru_cache(maxsize=1)
def _phrases() -> tuple[Phrase, ...]:
    table = packaged.table("phrases.toml")
    return tuple(Phrase(_spread(phrase.text), phrase.plain) for phrase in _ENGLISH) + tuple(
        Phrase(_spread(text.encode()), plain=False) for text in table["phrases"]
    )


@lru_cache(maxsize=1)
def _all() -> Triggers:
    return Triggers((index, (phrase.text,)) for index, phrase in enumerate(_phrases()))


class Said(NamedTuple):
    """Where in a text a sentence speaks to a reviewer."""

    start: int
    words: bytes
    plain: bool


def spoken(text: bytes) -> tuple[Said, ...]:
    """The first place of every phrase."""
    hit = (_phrases()[index] for index in sorted(_all().owners(text, range(len(_phrases())))))
    found = ((phrase, pattern(phrase.text).search(text)) for phrase in hit)
    return tuple(Said(m.start(), b" ".join(m.group(0).split()), phrase.plain) for phrase, m in found if m is not None)
