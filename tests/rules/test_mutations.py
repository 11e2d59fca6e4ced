"""Sources that stay valid while statements and functions are swapped, dropped and doubled: no rule fails, stalls, or sees what is not there."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.findings import Tier
from rules.rule import Diff
from rules.scan import scan
from rules.structure import read

BUDGET = 5.0  # seconds of the processor for one small change; a scan takes hundredths of one
STATEMENTS = {
    "py": (
        "if not user.verified:\n        raise PermissionDenied('no')",
        "token = make_token(user, purpose='reset')",
        "for entry in user.history:\n        log.info(entry)",
        "verify_signature(user, token_of(user))",
        "try:\n        load(user)\n    except KeyError:\n        return None",
        "total = limit(user) if user.admin else 3",
    ),
    "js": (
        "if (!user.verified) {\n    throw new Forbidden('no');\n  }",
        "const token = makeToken(user, { purpose: 'reset' });",
        "user.history.forEach((entry) => log(entry));",
        "verifySignature(user, tokenOf(user));",
        "try {\n    load(user);\n  } catch (error) {\n    return null;\n  }",
        "let total = user.admin ? limit(user) : 3;",
    ),
    "go": (
        'if !user.Verified {\n\t\treturn errors.New("forbidden")\n\t}',
        'token := makeToken(user, "reset")\n\tuse(token)',
        "for _, entry := range user.History {\n\t\tlog(entry)\n\t}",
        "verifySignature(user, tokenOf(user))",
        "if err := load(user); err != nil {\n\t\treturn err\n\t}",
        "switch {\n\tcase user.Admin && user.Active:\n\t\tlimit(user)\n\t}",
    ),
    "java": (
        'if (!user.isVerified()) {\n      throw new AccessDeniedException("no");\n    }',
        'String token = makeToken(user, "reset");',
        "for (Entry entry : user.history()) {\n      log(entry);\n    }",
        "verifySignature(user, tokenOf(user));",
        "try {\n      load(user);\n    } catch (IOException error) {\n      return null;\n    }",
        "int total = user.isAdmin() ? limit(user) : 3;",
    ),
    "rb": (
        "raise Forbidden unless user.verified?",
        "token = make_token(user, purpose: 'reset')",
        "user.history.each { |entry| log(entry) }",
        "verify_signature(user, token_of(user))",
        "begin\n    load(user)\n  rescue KeyError\n    return nil\n  end",
        "total = user.admin? ? limit(user) : 3",
    ),
    "php": (
        "if (!$user->verified) {\n    throw new AccessDenied('no');\n  }",
        "$token = makeToken($user, 'reset');",
        "foreach ($user->history as $entry) {\n    note($entry);\n  }",
        "verifySignature($user, tokenOf($user));",
        "try {\n    load($user);\n  } catch (Error $error) {\n    return null;\n  }",
        "$total = $user->admin ? limit($user) : 3;",
    ),
}
FRAMES = {
    "py": ("", "def {name}(user):\n    {body}\n    return send(user)\n", ""),
    "js": ("", "function {name}(user) {{\n  {body}\n  return send(user);\n}}\n", ""),
    "go": ("package app\n", "func {name}(user User) error {{\n\t{body}\n\treturn send(user)\n}}\n", ""),
    "java": ("class App {\n", "  Reply {name}(User user) {{\n    {body}\n    return send(user);\n  }}\n", "}\n"),
    "rb": ("", "def {name}(user)\n  {body}\n  send_mail(user)\nend\n", ""),
    "php": ("<?php\n", "function {name}($user) {{\n  {body}\n  return send($user);\n}}\n", ""),
}
INDENTS = {"py": "\n    ", "js": "\n  ", "go": "\n\t", "java": "\n    ", "rb": "\n  ", "php": "\n  "}
GRAMMARS = {"py": "python", "js": "javascript", "go": "go", "java": "java", "rb": "ruby", "php": "php"}
functions = st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=5)
ways = st.tuples(st.sampled_from(["swap", "drop", "double"]), st.booleans(), st.integers(0, 99), st.integers(0, 99))
languages = pytest.mark.parametrize("ending", sorted(FRAMES))
HELD = ("entry", "total", "token", "user")


def _named(bodies):
    return [(f"step{number}", list(body)) for number, body in enumerate(bodies)]


def _source(ending, program):
    head, frame, tail = FRAMES[ending]
    texts = (
        frame.format(
            name=name, body=INDENTS[ending].join(STATEMENTS[ending][each] for each in body) or _nothing(ending)
        )
        for name, body in program
    )
    return head + "\n".join(texts) + tail


def _nothing(ending):
    return "pass" if ending == "py" else "# nothing" if ending == "rb" else "// nothing"


def _mutated(program, steps):
    """Whole functions, or whole statements of one, swapped, dropped or doubled."""
    for how, is_function, one, other in steps:
        parts = program if is_function or not program else program[one % len(program)][1]
        if not parts:
            continue
        left, right = one % len(parts), other % len(parts)
        if how == "swap":
            parts[left], parts[right] = parts[right], parts[left]
        elif how == "drop":
            del parts[left]
        else:
            parts.insert(right, (f"again{other}", list(parts[left][1])) if is_function else parts[left])
    return program


def _weighing(ending, old, new):
    start = time.process_time()
    found = scan([Diff(f"src/accounts.{ending}", old, new).blobs()])
    assert time.process_time() - start < BUDGET
    assert not found.uncovered
    return [finding for finding in found.findings if finding.tier is not Tier.NOTE]


@languages
@given(bodies=functions)
@settings(max_examples=20, deadline=None)
def test_the_sources_are_valid(ending, bodies):
    """What is mutated is what the grammar can read, down to the last line."""
    facts = read(_source(ending, _named(bodies)).encode(), GRAMMARS[ending], {})
    assert facts is not None
    assert facts.broken == ()
    assert sum(span.is_function for span in facts.spans) == len(bodies)


@languages
@given(bodies=functions, steps=st.lists(ways, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_no_valid_mutation_fails_or_stalls(ending, bodies, steps):
    """Whatever whole statements and functions do, every rule answers in time, and the same in another run."""
    old, new = _source(ending, _named(bodies)), _source(ending, _mutated(_named(bodies), steps))
    assert _weighing(ending, old, new) == _weighing(ending, old, new)
    _weighing(ending, new, old)


@languages
@given(bodies=functions, order=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_function_that_moves_holds_nothing(ending, bodies, order):
    """Functions in another order are the same functions."""
    moved = _named(bodies)
    order.shuffle(moved)
    assert not _weighing(ending, _source(ending, _named(bodies)), _source(ending, moved))


@languages
@given(bodies=functions, held=st.sampled_from(HELD), to=st.sampled_from(["fresh", "q7", "bearer"]))
@settings(max_examples=60, deadline=None)
def test_a_local_variable_of_another_name_holds_nothing(ending, bodies, held, to):
    """A new name for what a function holds, or is given, changes nothing."""
    source = _source(ending, _named(bodies))
    assert not _weighing(ending, source, re.sub(rf"\b{held}\b", to, source))


@languages
@given(bodies=functions)
@settings(max_examples=20, deadline=None)
def test_a_dropped_guard_is_seen_among_all_others(ending, bodies):
    """The mutations reach what rules hold: taking the refusal away from a function that had it is never only a note."""
    program = [("reset_password", [0, 1]), *_named(bodies)]
    without = [("reset_password", [1]), *_named(bodies)]
    assert _weighing(ending, _source(ending, program), _source(ending, without))
