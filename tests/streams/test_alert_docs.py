"""What docs/alerts.md and docs/metrics.md show is what comes out. `python -m tests.streams.test_alert_docs` writes them anew."""

import json
import re
from pathlib import Path

import pytest
import yaml

from streams.metrics import Meter, measured
from streams.metrics_text import text
from streams.report import report
from streams.sinks.alerts import alertmanager, mail, pagerduty, slack, webhook
from streams.sinks.alerts.said import lines
from streams.sinks.render import report as render
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
    exported = text(measured(story.week(), story.at(400)), [("oncall", 1, 2, story.at(390))], at=story.at(400)).decode()
    docs = dict(re.findall(r"^# HELP (\S+) (.*)$", exported, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (.*)$", exported, re.MULTILINE))
    labels = {
        name: label for name, label in re.findall(r"^([a-z_]+)\{([a-z_]+)=", exported, re.MULTILINE) if label != "le"
    }
    rows = [
        f"| `{name}` | {kinds[name]} | {f'`{labels[name]}`' if name in labels else ''} | {docs[name]} |"
        for name in docs
    ]
    return "| name | kind | label | what it says |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def of_rules():
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "twohand.rules.yml").read_text("utf-8"))["groups"]
    rows = [
        f"| {rule['alert']} | {rule['labels']['severity']} | `{rule['expr']}` | {rule['annotations']['description']} |"
        for rule in groups[0]["rules"]
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
