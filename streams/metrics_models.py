"""What model reviews took, as Prometheus reads it: reviews, tokens, money, by the reviewer of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.settings_reviewers import MILLION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engines.journal import Journal

_SPENT = """select reviewer, status, count(*), sum(tokens_in), sum(tokens_out), sum(micros), sum(cached), sum(findings)
    from spent group by reviewer, status order by reviewer, status"""


def families(journal: Journal) -> Iterator[Any]:
    """Counters of the ledger; nothing where no model was ever asked. `twohand cost` adds which findings were upheld."""
    if not journal.ask("select 1 from sqlite_master where name = 'spent'"):
        return
    from prometheus_client.core import CounterMetricFamily as Counter  # noqa: PLC0415 - only where somebody scrapes

    reviews = Counter("twohand_model_reviews", "Model reviews, by how they ended.", labels=["reviewer", "status"])
    kept = Counter(
        "twohand_model_reviews_kept", "Those of them that cost nothing: the answer was kept.", labels=["reviewer"]
    )
    tokens = Counter("twohand_model_tokens", "Tokens of questions and answers.", labels=["reviewer", "direction"])
    money = Counter("twohand_model_money", "Money, in the unit of the prices.", labels=["reviewer"])
    findings = Counter("twohand_model_findings", "Findings of models.", labels=["reviewer"])
    sums: dict[str, list[int]] = {}
    for reviewer, status, count, *amounts in journal.ask(_SPENT):
        reviews.add_metric([reviewer, status], count)
        before = sums.get(reviewer, [0] * len(amounts))
        sums[reviewer] = [one + more for one, more in zip(before, amounts, strict=True)]
    for reviewer, (came, went, micros, cached, seen) in sums.items():
        tokens.add_metric([reviewer, "in"], came)
        tokens.add_metric([reviewer, "out"], went)
        money.add_metric([reviewer], micros / MILLION)
        kept.add_metric([reviewer], cached)
        findings.add_metric([reviewer], seen)
    yield from (reviews, kept, tokens, money, findings)
