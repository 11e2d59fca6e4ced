"""The policy as a value: what a file means, its digest, the default, and policies above one another."""

import tomllib
from pathlib import Path

import pytest

from rules import policy
from rules.policy import Key, PolicyInvalid, Requirement, Step
from rules.when import EVERYTHING, When

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
ALICE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIQzm90IgS5jwCJn3CFBTAhV8nmqqpMtAv/2GzxdnoM4"
BOB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGse8KtW0lwO7NOZQ1xkln7HhCvBJrCjLiL3mjoIRMxx"
REQUIREMENT = '[[requirement]]\nname = "a hand"\nfrom = ["human"]\n'


def parsed(text, **more):
    return policy.parse("version = 1\n" + text, "twohand.toml", **more)


def test_the_smallest_policy_has_every_default():
    """A file with only its version is a policy without requirements and with the defaults of the law."""
    small = parsed("")
    assert small.independence == policy.Independence()
    assert (small.requirements, small.owners, small.waivers) == ((), policy.OwnersPolicy(), policy.Waivers())
    assert small.escalation == policy.Escalation()
    assert (small.repository, small.protect, small.people, small.teams) == ("", (), {}, {})
    assert small.source == "twohand.toml"


def test_values_arrive_in_the_units_of_the_law():
    """Durations are seconds, conditions are canonical, keys are parsed."""
    team = policy.parse(Path("examples/team.toml").read_text(), "team.toml")
    assert team.protect == ("main", "release/*")
    assert team.independence.max_age == 14 * 86400
    assert team.requirements[0] == Requirement(
        "an independent hand", When("author", ("any",)), 1, ("model", "human"), "preferred"
    )
    assert team.escalation.steps == (Step(0, ("owners",)), Step(900, ("oncall",)), Step(3600, ("security-leads",)))
    assert team.people["alice"].keys == (Key("ssh-ed25519", ALICE.split()[1], "alice"),)
    assert team.people["dana"].keys[0].valid_before == "2026-06-30T00:00:00Z"
    assert team.agents["ci-reviewer"].operator == "carol"
    assert team.services["dependabot"].accounts == ("github:dependabot[bot]",)
    assert team.teams["security"] == ("alice", "bob")


def test_only_active_people_stand_behind_names():
    """Teams and people resolve to those who have not left (law 31)."""
    text = "[people.alice]\n[people.bob]\nactive = false\n[teams]\nall = ['alice', 'bob']\n"
    assert parsed(text).active(["all", "bob", "nobody"]) == {"alice"}


def test_a_requirement_without_when_is_about_every_file():
    """Law 30: no condition and an empty one both match every path."""
    bare = parsed(REQUIREMENT)
    empty = parsed(REQUIREMENT + "when = {}\n")
    assert bare.requirements[0].when == empty.requirements[0].when == EVERYTHING
    assert bare.digest == empty.digest


def test_layout_does_not_change_the_digest():
    """Comments, order of keys and spelled-out defaults leave the digest alone; another value does not."""
    one = parsed("protect = ['main']\n[independence]\nfamily = 'block'\n")
    other = policy.parse(b"# hi\nindependence = { max_age = '720h' }\nprotect = [\n 'main',\n]\nversion = 1", "x")
    assert one.digest == other.digest
    assert one.digest != parsed("protect = ['main']\n[independence]\nfamily = 'extra'\n").digest


def test_the_default_policy_is_one_hand_for_all_and_owners_for_security():
    """Law 36: the built-in default, exactly."""
    first, second = policy.default().requirements
    assert (first.when, first.approvals, first.from_) == (When("author", ("any",)), 1, ("model", "human"))
    paths = When("paths", ("**/auth/**", "**/*recovery*"))
    assert second.when == When("any", parts=(paths, When("tier", ("hold",))))
    assert (second.approvals, second.from_) == (1, ("owner",))
    assert policy.parse(policy.default_text(), policy.BUILT_IN) == policy.default()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_survive_their_dump(path):
    """Every example is a policy, and what `dump` writes is read as the same policy."""
    example = policy.parse(path.read_bytes(), path.name)
    again = policy.parse(toml_of(policy.dump(example)), path.name)
    assert again == example


def test_there_are_four_examples():
    """DESIGN 5.2: team, solo, regulated, open source."""
    assert [path.stem for path in EXAMPLES] == ["open-source", "regulated", "solo", "team"]


class TestPyproject:
    def test_the_same_keys_under_tool_twohand_are_the_same_policy(self):
        """[tool.twohand] means what twohand.toml means; its digest is the same (law 36)."""
        text = "[project]\nname = 'x'\n[tool.twohand]\nversion = 1\nprotect = ['main']\n"
        found = policy.parse_pyproject(text, "pyproject.toml")
        assert found is not None
        assert found.digest == parsed("protect = ['main']").digest

    @pytest.mark.parametrize("text", ["", "[tool.ruff]\nline-length = 120\n", "tool = 3\n"])
    def test_without_the_table_there_is_no_policy(self, text):
        """A pyproject.toml that does not speak of twohand is None, and no mistake."""
        assert policy.parse_pyproject(text, "pyproject.toml") is None

    def test_mistakes_name_the_line_of_pyproject(self):
        """Lines count in the whole file, keys from the table."""
        text = "[project]\nname = 'x'\n\n[tool.twohand]\nversion = 1\n[tool.twohand.independence]\nfamily = 'no'\n"
        with pytest.raises(PolicyInvalid) as caught:
            policy.parse_pyproject(text, "pyproject.toml")
        assert [(p.line, p.key) for p in caught.value.problems] == [(7, "independence.family")]

    def test_a_value_that_is_no_table_is_invalid(self):
        """`twohand = 3` is a policy that cannot be read, not one that is absent."""
        with pytest.raises(PolicyInvalid) as caught:
            policy.parse_pyproject("[tool]\ntwohand = 3\n", "pyproject.toml")
        assert caught.value.problems[0].line == 2

    def test_broken_toml_is_invalid(self):
        """Nobody can tell what a broken file says about twohand."""
        with pytest.raises(PolicyInvalid):
            policy.parse_pyproject("[tool\n", "pyproject.toml")


class TestAbove:
    """Law 36: whom a higher policy enrols is known below."""

    floor = parsed(
        f"[people.alice]\nemails = ['a@x', 'b@x']\nkeys = ['{ALICE}']\n[agents.bot]\noperator = 'alice'\n"
        "[services.ci]\n[teams]\nsec = ['alice']\n"
    )

    def test_names_from_above_are_known(self):
        """The lower policy may speak of people, agents and teams that only the higher one enrols."""
        text = "[owners]\nfallback = ['sec', 'alice']\n[agents.mine]\noperator = 'bot'\n"
        below = parsed(text, above=self.floor)
        assert below.people == self.floor.people
        assert set(below.agents) == {"bot", "mine"}
        assert (below.teams, set(below.services)) == ({"sec": ("alice",)}, {"ci"})
        with pytest.raises(PolicyInvalid):
            parsed(text)

    def test_equal_enrolment_is_no_redefinition(self):
        """The same values, in any order of their lists, may stand in both."""
        text = f"[people.alice]\nemails = ['b@x', 'a@x']\nkeys = ['{ALICE}']\n[teams]\nsec = ['alice']\n"
        joined = parsed(text, above=self.floor)
        assert set(joined.agents) == {"bot"}
        assert joined.digest != parsed(text).digest

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            (f"[people.alice]\nkeys = ['{BOB}']\n", "people.alice"),
            ("[people.alice]\nactive = false\n", "people.alice"),
            ("[agents.alice]\n", "agents.alice"),
            ("[people.carl]\n[teams]\nsec = ['carl']\n", "teams.sec"),
            ("[people.alice]\n[people.carl]\n[teams]\nsec = ['alice', 'carl']\n", "teams.sec"),
        ],
    )
    def test_another_enrolment_is_invalid_and_names_both(self, text, path):
        """Another value for a name from above is refused, by the line where it stands."""
        with pytest.raises(PolicyInvalid) as caught:
            parsed(text, above=self.floor._replace(source="floor.toml"))
        problem = next(problem for problem in caught.value.problems if problem.key == path)
        assert problem.file == "twohand.toml"
        assert problem.line
        assert "floor.toml" in problem.message

    def test_an_operator_may_come_from_above(self):
        """An agent below may act for an agent that only the higher policy enrols."""
        floor = parsed("[agents.a]\n")
        assert parsed("[agents.b]\noperator = 'a'\n", above=floor).agents["b"].operator == "a"


def toml_of(data):
    """The plain data of a policy as TOML, tables inline."""
    return "".join(f"{key} = {inline(value)}\n" for key, value in data.items())


def inline(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return "{" + ", ".join(f"{inline(key)} = {inline(item)}" for key, item in value.items()) + "}"


def test_the_dump_of_the_default_is_plain_data():
    """What `policy show --format json` prints holds every key, and TOML can say it."""
    assert tomllib.loads(toml_of(policy.dump(policy.default()))) == policy.dump(policy.default())
