"""Measures the scan beside Python's `re` in one run: `python -m bench.scan`.

first pass   all triggers over whole blobs, MB/s, against the same patterns one by one in `re`
change       100 KB of changed source in several languages, all rules, median and p99 in ms
lines        one pathological line of 200 KB, as a ratio to the median cost of ordinary text of the same size

All times are the processor's.
"""

import re
import statistics
import time
from collections.abc import Callable

from rules.catalogue import all_rules
from rules.patterns import Triggers
from rules.rule import Diff
from rules.scan import scan

PYTHON = '''
class Account{n}(Base):
    @login_required
    def reset_{n}(self, email, account):
        """Send the link to the address on file."""
        if not account.verified or email != account.email:
            raise PermissionDenied("address {n} is not verified")
        token = self.tokens.make(account, purpose="reset", size={n})
        for index, entry in enumerate(self.history[:{n}]):
            if entry.used and entry.owner == account.owner:
                self.log.info("skipped %s of %s", index, entry)
        return self.mailer.send(account.email, link(token))
'''
SCRIPT = """
class Account{n} extends Base {{
  reset{n}(email, account) {{
    if (!account.verified || email !== account.email) {{
      throw new Forbidden("address {n} is not verified");
    }}
    const token = this.tokens.make(account, {{ purpose: "reset", size: {n} }});
    this.history.slice(0, {n}).forEach((entry, index) => {{
      if (entry.used && entry.owner === account.owner) {{ this.log.info(index, entry); }}
    }});
    return this.mailer.send(account.email, link(token));
  }}
}}
"""
UNITS = (
    b"a",
    b" ",
    b"(",
    b"a<",
    b"if(a){",
    b'api_key="',
    b"!",
    b"x&&",
    b"\xff",
    b"return ",
    b"verify=",
    b"\\",
    b"\xe2\x80\xae",
)
CHANGE = 100_000  # bytes
LINE = 200_000


def source(template: str, size: int) -> str:
    parts, total, number = [], 0, 0
    while total < size:
        parts.append(template.format(n=number))
        total += len(parts[-1])
        number += 1
    return "".join(parts)


def changes(turn: int) -> list[list[Diff]]:
    """Changes of 100 KB: ten files with a function touched in each, in two languages, and one file that is wholly new.

    Each turn has texts of its own: what was parsed before is remembered.
    """
    found = []
    for template, ending, guard in ((PYTHON, "py", "account.verified or "), (SCRIPT, "js", "account.verified || ")):
        template = template.replace("{n}", f"{{n}}{turn:02d}")  # noqa: PLW2901 - the same with other numbers
        text = source(template, CHANGE // 10)
        found += [[Diff(f"src/{n}.{ending}", text, text.replace(guard, "", 1 + n)) for n in range(10)]]
        found += [[Diff(f"src/new.{ending}", None, source(template, CHANGE))]]
        found += [[Diff(f"src/one.{ending}", source(template, CHANGE), source(template, CHANGE).replace(guard, "", 5))]]
    return found


def seconds(work: Callable[[], object], repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return taken


def first_pass() -> None:
    triggers = [trigger for rule in all_rules() for trigger in rule.triggers]
    owners = range(len(all_rules()))
    patterns = Triggers((index, rule.triggers) for index, rule in enumerate(all_rules()))
    data = source(PYTHON, 2_000_000).encode()
    cold = seconds(lambda: patterns.owners(data[:3_000], owners), 1)[0]
    few = statistics.median(seconds(lambda: patterns.owners(data[:100_000], owners), 9))
    fast = statistics.median(seconds(lambda: patterns.owners(data, owners), 9))
    sample = data[:100_000]
    plain = [re.compile(_translated(trigger)) for trigger in triggers]
    slow = min(seconds(lambda: [sum(1 for _ in each.finditer(sample)) for each in plain], 3))
    rates = len(data) / fast / 1e6, len(sample) / slow / 1e6
    print(
        f"first pass: {rates[0]:.0f} MB/s over {len(triggers)} patterns in a long run, {0.1 / few:.0f} in a short one, "
        f"first 3 KB with compiling {cold * 1e3:.1f} ms; Python re, same run: {rates[1]:.2f} MB/s ({rates[0] / rates[1]:.0f}x)"
    )


def _translated(trigger: bytes) -> bytes:
    """Python's `re` wants a flag in front, where re2 takes it anywhere."""
    head, _, tail = trigger.partition(b"(?i)")
    return b"(?i)" + head + tail.replace(b"(?i)", b"") if tail else trigger


def change() -> None:
    taken: list[float] = []
    for turn in range(20):
        for files in changes(turn):
            blobs = [file.blobs() for file in files]
            taken += seconds(lambda blobs=blobs: scan(blobs), 1)
    taken.sort()
    print(
        f"change of 100 KB, all rules: median {statistics.median(taken) * 1e3:.1f} ms, p99 {taken[int(len(taken) * 0.99)] * 1e3:.1f} ms"
    )


def lines() -> None:
    ordinary = (
        [Diff("src/a.py", "", source(PYTHON.replace("{n}", f"{{n}}{turn}"), LINE)).blobs()] for turn in range(5)
    )
    median = statistics.median(seconds(lambda: scan(next(ordinary)), 5))
    worst, unit = max((_line(unit), unit) for unit in UNITS)
    print(
        f"one line of 200 KB: worst {worst * 1e3:.1f} ms ({unit!r}), {worst / median:.2f} x ordinary text of that size ({median * 1e3:.1f} ms)"
    )


def _line(unit: bytes) -> float:
    turns = ([Diff("src/a.py", b"", unit * (LINE // len(unit) - turn)).blobs()] for turn in range(5))
    return statistics.median(seconds(lambda: scan(next(turns)), 5))


def main() -> None:
    first_pass()
    scan([Diff("a.py", "if a: raise B\n", "").blobs()])  # compile the patterns, load the grammars
    change()
    lines()


if __name__ == "__main__":
    main()
