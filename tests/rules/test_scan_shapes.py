"""Three changes that take no check away, in every language with structure: bypassed, swallowed, and fed with what was typed."""

import pytest

from rules.findings import Tier
from rules.rule import Diff
from rules.scan import scan


def _held(rule, path, old, new):
    found = scan([Diff(path, old, new).blobs()]).findings
    return [finding for finding in found if finding.rule == rule and finding.tier is Tier.HOLD]


# language: (ending, function with %s in front of its guard, guard, a return)
GUARDED = {
    "python": ("py", "def show(user, doc):\n%s    return doc\n", "    if not user.owner:\n        raise Denied()\n", "    return doc\n"),
    "javascript": ("js", "function show(user, doc) {\n%s  return doc;\n}\n", "  if (!user.owner) {\n    throw new Denied();\n  }\n", "  return doc;\n"),
    "typescript": ("ts", "class A {\n  show(user: U, doc: D): D {\n%s    return doc;\n  }\n}\n", "    if (!user.owner) {\n      throw new Denied();\n    }\n", "    return doc;\n"),
    "tsx": ("tsx", "const show = (user: U, doc: D) => {\n%s  return doc;\n};\n", "  if (!user.owner) {\n    throw new Denied();\n  }\n", "  return doc;\n"),
    "go": ("go", "package a\n\nfunc Show(user U, doc D) error {\n%s\treturn doc.Write()\n}\n", "\tif !user.Owner {\n\t\treturn errForbidden\n\t}\n", "\treturn doc.Write()\n"),
    "java": ("java", "class A {\n  D show(U user, D doc) {\n%s    return doc;\n  }\n}\n", "    if (!user.isOwner()) {\n      throw new Denied();\n    }\n", "    return doc;\n"),
    "ruby": ("rb", "class A\n  def show(user, doc)\n%s    doc\n  end\nend\n", "    raise Denied unless user.owner?\n", "    return doc\n"),
    "php": ("php", "<?php\nfunction show($user, $doc) {\n%s  return $doc;\n}\n", "  if (!$user->owner) {\n    throw new Denied();\n  }\n", "  return $doc;\n"),
    "rust": ("rs", "fn show(user: U, doc: D) -> R {\n%s    return doc;\n}\n", "    if !user.owner {\n        return Err(Denied);\n    }\n", "    return doc;\n"),
    "c": ("c", "int show(struct user *u) {\n%s  return run(u);\n}\n", "  if (!u->owner) {\n    return -1;\n  }\n", "  return run(u);\n"),
    "cpp": ("cpp", "int show(User u) {\n%s  return run(u);\n}\n", "  if (!u.owner) {\n    throw Denied();\n  }\n", "  return run(u);\n"),
    "csharp": ("cs", "class A {\n  D Show(U user, D doc) {\n%s    return doc;\n  }\n}\n", "    if (!user.Owner) {\n      throw new Denied();\n    }\n", "    return doc;\n"),
    "kotlin": ("kt", "fun show(user: U, doc: D): D {\n%s    return doc\n}\n", "    if (!user.owner) {\n        throw Denied()\n    }\n", "    return doc\n"),
}  # fmt: skip
EARLY = {
    "py": "    if user.debug:\n        return doc\n",
    "rb": "    return true if user.debug\n",
    "go": "\tif user.Debug {\n\t\treturn doc.Write()\n\t}\n",
    "rs": "    if user.debug {\n        return doc;\n    }\n",
    "php": "  if ($user->debug) {\n    return $doc;\n  }\n",
    "c": "  if (u->debug) {\n    return run(u);\n  }\n",
    "cpp": "  if (u.debug) {\n    return run(u);\n  }\n",
}
SWALLOWED = {
    "python": "    try:\n        if not user.owner:\n            raise Denied()\n    except Exception:\n        pass\n",
    "ruby": "    begin\n      raise Denied unless user.owner?\n    rescue\n      nil\n    end\n",
    "php": "  try {\n    if (!$user->owner) {\n      throw new Denied();\n    }\n  } catch (\\Exception $e) {\n  }\n",
    "cpp": "  try {\n    if (!u.owner) {\n      throw Denied();\n    }\n  } catch (...) {\n  }\n",
    "kotlin": "    try {\n        if (!user.owner) {\n            throw Denied()\n        }\n    } catch (e: Exception) {\n    }\n",
    "java": "    try {\n      if (!user.isOwner()) {\n        throw new Denied();\n      }\n    } catch (Exception e) {\n      log(e);\n    }\n",
    "csharp": "    try {\n      if (!user.Owner) {\n        throw new Denied();\n      }\n    } catch {\n    }\n",
    "javascript": "  try {\n    if (!user.owner) {\n      throw new Denied();\n    }\n  } catch (e) {\n    console.log(e);\n  }\n",
}


@pytest.mark.parametrize("language", sorted(GUARDED))
def test_a_return_before_a_guard_is_held(language):
    """A return that everybody takes comes before the guard, and the guard is only to be looked at."""
    ending, function, guard, leave = GUARDED[language]
    (finding,) = _held("guard-bypassed", f"src/a.{ending}", function % guard, function % (leave + guard))
    assert finding.side == "new"
    assert "returns here" in finding.message


@pytest.mark.parametrize("language", sorted(GUARDED))
def test_a_way_round_a_guard_is_held(language):
    """A new condition in front of a guard that does what the guarded code does lets in whom the guard refused."""
    ending, function, guard, _ = GUARDED[language]
    early = EARLY.get(ending, "    if (user.debug) {\n      return doc;\n    }\n")
    (finding,) = _held("guard-bypassed", f"src/a.{ending}", function % guard, function % (early + guard))
    assert "ebug" in finding.message


@pytest.mark.parametrize("language", sorted(SWALLOWED))
def test_a_guard_whose_refusal_is_swallowed_is_held(language):
    """A handler around the guard goes on as if nobody had been refused."""
    ending, function, guard, _ = GUARDED[language]
    assert _held("guard-bypassed", f"src/a.{ending}", function % guard, function % SWALLOWED[language])


@pytest.mark.parametrize(
    "handler",
    [
        "except:\n        pass",
        "except Exception as error:\n        log.warning('no', error)",
        "except BaseException:\n        return True",
        "except PermissionDenied:\n        pass",
        "except (ValueError, Denied):\n        doc.checked = False",
    ],
)
def test_a_verification_whose_failure_is_swallowed_is_held(handler):
    """All handlers that take what a verification raises and go on."""
    old = "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n"
    new = f"def read(doc):\n    try:\n        verify_signature(doc)\n    {handler}\n    return doc.profile\n"
    assert _held("guard-bypassed", "src/a.py", old, new)


@pytest.mark.parametrize(
    "handler",
    [
        "except Exception:\n        raise Denied(doc)",
        "except Exception:\n        return None",
        "except KeyError:\n        pass",
        "except OSError as error:\n        log.warning('no', error)",
    ],
)
def test_a_failure_that_is_passed_on_or_is_another_is_silent(handler):
    """Who translates a refusal, answers with nothing, or handles something narrow swallows no refusal."""
    old = "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n"
    new = f"def read(doc):\n    try:\n        verify_signature(doc)\n    {handler}\n    return doc.profile\n"
    assert not _held("guard-bypassed", "src/a.py", old, new)


def test_a_handler_that_was_there_before_is_silent():
    """A guard that was swallowed already is no news; a second guard under the same handler is named once."""
    old = "def read(doc):\n    try:\n        verify_signature(doc)\n        verify_issuer(doc)\n    except Exception:\n        pass\n    return doc.name\n"
    assert not _held("guard-bypassed", "src/a.py", old, old.replace("doc.name", "doc.title"))
    bare = "def read(doc):\n    verify_signature(doc)\n    verify_issuer(doc)\n    return doc.name\n"
    assert len(_held("guard-bypassed", "src/a.py", bare, old)) == 1


def test_a_method_with_a_rescue_of_its_own_is_held():
    """In Ruby a method body may end with the handler."""
    old = "class A\n  def read(doc)\n    verify!(doc)\n    doc.name\n  end\nend\n"
    new = "class A\n  def read(doc)\n    verify!(doc)\n    doc.name\n  rescue\n    true\n  end\nend\n"
    assert _held("guard-bypassed", "src/a.rb", old, new)


def test_a_handler_in_a_ring_of_handlers_is_named():
    """Of several handlers around a guard the innermost is named; one that ended before the guard is not."""
    old = "def read(doc):\n    verify_signature(doc)\n    return doc.name\n"
    new = (
        "def read(doc):\n    try:\n        try:\n            load(doc)\n        except Exception:\n            pass\n"
        "        verify_signature(doc)\n    except Exception:\n        return True\n    return doc.name\n"
    )
    (finding,) = _held("guard-bypassed", "src/a.py", old, new)
    assert finding.line == 8


@pytest.mark.parametrize(
    "early",
    [
        "    if user.banned:\n        return None\n",
        "    if not doc:\n        raise NotFound()\n",
        "    if doc.cached:\n        log(doc)\n",
        "    if doc.empty:\n        return [1]\n",
    ],
)
def test_a_stricter_or_harmless_condition_in_front_is_silent(early):
    """What refuses more, or grants nothing of what is guarded, is no way round."""
    _, function, guard, _ = GUARDED["python"]
    assert not _held("guard-bypassed", "src/a.py", function % guard, function % (early + guard))


def test_a_way_round_what_is_no_guard_is_silent():
    """Early returns before work that refuses nobody are everyday code; so are those that were there before."""
    old = "def size(box):\n    if not box.width:\n        box.width = 1\n    return box.width\n"
    assert not _held("guard-bypassed", "src/a.py", old, old.replace("    if not", "    return 1\n    if not"))
    _, function, guard, leave = GUARDED["python"]
    dead = function % (leave + guard)
    assert not _held("guard-bypassed", "src/a.py", dead, dead.replace("    return doc\n", "    return  (doc)\n", 1))


TYPED = {
    "python": ("py", "def recover(request, user):\n    send_reset(%s)\n", "user.email", ("request.POST['email']", "request.data.get('email')")),
    "javascript": ("js", "function recover(req, user) {\n  mailer.send({ to: %s, text: link(user) });\n}\n", "user.email", ("req.body.email", "req.query.email")),
    "typescript": ("ts", "class A {\n  recover(req: R, user: U, email: string): void {\n    this.mailer.sendReset(%s);\n  }\n}\n", "user.email", ("req.body.email", "email")),
    "tsx": ("tsx", "const recover = (user: U, email: string) => {\n  sendReset(%s);\n};\n", "user.email", ("email",)),
    "go": ("go", "package a\n\nfunc Recover(r *Req, u *User, email string) {\n\tmail.SendReset(%s)\n}\n", "u.Email", ("email", 'r.FormValue("email")')),
    "java": ("java", "class A {\n  void recover(Request request, User user, String email) {\n    mailer.sendReset(%s);\n  }\n}\n", "user.getEmail()", ("email", 'request.getParameter("email")')),
    "ruby": ("rb", "class A\n  def recover(user, email)\n    Mailer.reset(%s).deliver\n  end\nend\n", "user.email", ("params[:email]", "email")),
    "php": ("php", "<?php\nfunction recover($request, $user, $email) {\n  send_reset(%s);\n}\n", "$user->email", ("$email", "$request->input('email')", "$_POST['email']")),
    "rust": ("rs", "fn recover(form: F, user: U, email: &str) {\n    send_reset(%s);\n}\n", "user.email", ("email", "form.email")),
    "c": ("c", "void recover(struct user *u, char *email) {\n  send_reset(%s);\n}\n", "u->email", ("email",)),
    "cpp": ("cpp", "void recover(User u, Request req, std::string email) {\n  send_reset(%s);\n}\n", "u.email", ("email", "req.email")),
    "csharp": ("cs", "class A {\n  void Recover(U user, string email) {\n    mailer.SendReset(%s);\n  }\n}\n", "user.Email", ("email",)),
    "kotlin": ("kt", "fun recover(user: U, email: String) {\n    sendReset(%s)\n}\n", "user.email", ("email",)),
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(TYPED))
def test_a_stored_value_that_gave_way_to_a_typed_one_is_held(language):
    """The link goes where the caller says; the other way round is a repair."""
    ending, function, kept, typed = TYPED[language]
    for value in typed:
        assert _held("trusted-value-replaced", f"src/a.{ending}", function % kept, function % value), value
        assert not _held("trusted-value-replaced", f"src/a.{ending}", function % value, function % kept), value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    send_reset(user.email)\n", "    send_reset(user.phone)\n"),
        ("    send_reset(user.email)\n", "    email = user.email\n    send_reset(email)\n"),
        ("    send_reset(doc.owner_id)\n", "    send_reset(request.user.id)\n"),
        ("    send_reset(user.email, 1)\n", "    send_reset(email)\n"),
        ("    send_reset(user.email, a.id)\n", "    send_reset(email, b.id)\n"),
        ("    paint(shape.width)\n", "    paint(width)\n"),
        ("    width = shape.width\n", "    width = request.width\n"),
        ("    to = user.email\n    go(to)\n", "    who = user.email\n    go(who)\n"),
        ("    to = user.email + a\n", "    to = user.email + b\n"),
    ],
)
def test_another_value_is_silent(old, new):
    """Other stored values, locals that are set from them, who is logged in, and values that say nothing of anybody."""
    head = "def reset(request, user, email, doc, shape, width):\n"
    assert not _held("trusted-value-replaced", "src/a.py", head + old, head + new)


def test_a_value_is_named_once():
    """The same value in a call and in a line is one finding."""
    old = "def reset(request, user):\n    to = user.email\n    send_reset(user.email)\n"
    assert len(_held("trusted-value-replaced", "src/a.py", old, old.replace("user.email", "request.email"))) == 1


def test_a_parameter_of_a_method_without_parentheses_is_known():
    """Ruby needs none."""
    old = "class A\n  def reset email\n    deliver_mail user.email\n  end\nend\n"
    assert _held("trusted-value-replaced", "src/a.rb", old, old.replace("user.email", "email"))


def test_one_gone_guard_is_one_finding():
    """What a gone guard called is gone with it, and is not counted again."""
    old = "def show(user):\n    if not verify_owner(user):\n        raise PermissionDenied('no')\n    return 1\n"
    found = scan([Diff("src/a.py", old, "def show(user):\n    return 1\n").blobs()]).findings
    assert [finding.rule for finding in found] == ["auth-check-removed"]
