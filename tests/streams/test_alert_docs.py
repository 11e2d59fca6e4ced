"""What docs/alerts.md and docs/metrics.md show is what comes out. `python -m tests.streams.test_alert_docs` writes them anew."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import Meter, measured
from streams.metrics_text import text
from streams.report import report
from streams.sinks.alerts import alertmanager, mail, pagerduty, slack, webhook
from streams.sinks.alerts.said import lines
from streams.sinks.render import report as render
from tests.kafka.watched import counted
from tests.streams import story
from tests.streams.alerting import message

ROOT = Path(__file__).parents[2]
PAGES = ("alerts", "metrics")
END = "<!-- end -->\n"


def fenced(body, language=""):
    return f"```{language}\n{body.rstrip()}\n```\n"


def data(value):
    return fenced(json.dumps(value, indent=2, ensure_ascii=False), "json")


def log(kind):
    return fenced("\n".join(lines(message(kind))))


def of_slack():
    rows = []
    for block in slack.written(message())["blocks"]:
        rows += [block["text"]["text"]] if "text" in block else [part["text"] for part in block["elements"]]
    return "````\n" + "\n".join(rows) + "\n````\n"


def of_webhook():
    body = json.dumps(webhook.written(message()), sort_keys=True)
    head = f"X-Twohand-Id: {message().event}\nX-Twohand-Signature: {webhook.signature('key', body.encode())}\n\n"
    return fenced(head + json.dumps(json.loads(body), indent=2, ensure_ascii=False))


def of_mail():
    written = mail.written(message(), "twohand@example.com", message().emails())
    return fenced(written.as_string().replace("\r\n", "\n"))


def of_metrics():
    return table(text(measured(story.week(), story.at(400)), [("oncall", 1, 2, story.at(390))], at=story.at(400)))


def of_worker_metrics():
    return table(counted().text())


def table(exported):
    """Metrics of ours with what they say of themselves."""
    found = list(text_string_to_metric_families(exported.decode()))
    rows = [
        f"| `{one.name}{'_total' if one.type == 'counter' else ''}` | {one.type} | {labels(one)} | {one.documentation} |"
        for one in found
        if one.name.startswith(("twohand_", "vcs_"))
    ]
    return "| name | kind | label | what it says |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def labels(family):
    names = dict.fromkeys(name for sample in family.samples for name in sample.labels if name != "le")
    return ", ".join(f"`{name}`" for name in names)


def of_rules():
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "twohand.rules.yml").read_text("utf-8"))["groups"]
    rows = [
        f"| {rule['alert']} | {rule['labels']['severity']} | `{rule['expr']}` | {rule['annotations']['description']} |"
        for group in groups
        for rule in group["rules"]
    ]
    return "| alert | severity | when | what then |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def of_report():
    meter = Meter()
    for event in story.week():
        meter.take(event)
    return fenced(render.text(report(meter, story.START, story.at(7 * 1440))))


SHOWN = {
    "log open": lambda: log("open"),
    "log acknowledged": lambda: log("acknowledged"),
    "log resolved": lambda: log("resolved"),
    "pagerduty": lambda: data(pagerduty._event("trigger", message())),
    "alertmanager": lambda: data(alertmanager._alert(alertmanager._labels(message()), message())),
    "slack": of_slack,
    "webhook": of_webhook,
    "mail": of_mail,
    "metrics": of_metrics,
    "worker metrics": of_worker_metrics,
    "rules": of_rules,
    "report": of_report,
}


def written(page):
    """The page with every picture of output as it is now. Each stands between its mark and an empty line."""
    parts = re.split(r"(<!-- shown: [a-z ]+ -->\n)", page)
    out = [parts[0]]
    for mark, rest in zip(parts[1::2], parts[2::2], strict=True):
        name = mark.removeprefix("<!-- shown: ").removesuffix(" -->\n")
        out += [mark, "\n" + SHOWN[name]() + END, rest.partition(END)[2] if END in rest else rest]
    return "".join(out)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_comes_out(name):
    """A message, metric or report that changes changes its page."""
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert written(page) == page, "python -m tests.streams.test_alert_docs"


def test_every_kind_of_output_is_shown():
    """Nothing that people get is left out."""
    pages = "".join((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in PAGES)
    assert set(re.findall(r"<!-- shown: ([a-z ]+) -->", pages)) == set(SHOWN)


if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / "docs" / f"{name}.md"
        path.write_text(written(path.read_text("utf-8")), "utf-8")
