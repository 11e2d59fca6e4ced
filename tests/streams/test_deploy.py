"""What `deploy/` ships works: rules and dashboard, judged by Debian's own Prometheus."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from streams.engines.kafka.telemetry.listener import Listener
from streams.metrics import measured
from streams.metrics_text import CONTENT_TYPE, text
from tests.kafka.watched import counted
from tests.streams.receivers import Receiver, answers, eventually, free_port, program
from tests.streams.story import at, week

pytestmark = pytest.mark.xdist_group("deploy")

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "twohand.rules.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "twohand.json").read_text("utf-8"))
EXPRESSIONS = sorted({target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]})
LETTERS = [("oncall", 1, 2, at(390))]


def promtool(*arguments, given=b""):
    done = subprocess.run(
        [program("prometheus", "promtool"), *arguments], input=given, capture_output=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def exported():
    return text(measured(week(), at(400)), LETTERS, at=at(400))


def worker():
    return counted().text()


def test_the_alert_rules_are_rules():
    """promtool reads all of them."""
    code, said = promtool("check", "rules", str(RULES))
    assert code == 0, said
    assert "15 rules found" in said


def test_each_alert_fires_when_it_should_and_not_before():
    """promtool plays hours of series through them."""
    code, said = promtool("test", "rules", str(DEPLOY / "prometheus" / "twohand.rules.test.yml"))
    assert code == 0, said


def test_the_metrics_are_as_prometheus_wants_them():
    """One name ends in _count, because OpenTelemetry's does; nothing else is odd."""
    _, said = promtool("check", "metrics", given=exported())
    assert said.splitlines() == [
        'vcs_change_count non-histogram and non-summary metrics should not have "_count" suffix'
    ]
    assert promtool("check", "metrics", given=worker()) == (0, "")


def test_every_metric_that_is_asked_for_is_exported():
    """A dashboard or rule over a name that nobody exports would be silent for ever."""
    known = set(re.findall(r"^# TYPE ((?:twohand|vcs)_\S+)", (exported() + worker()).decode(), re.MULTILINE))
    asked = " ".join([*EXPRESSIONS, RULES.read_text("utf-8")])
    names = {name.removesuffix("_bucket") for name in re.findall(r"\b(?:twohand|vcs)_[a-z_]+\b", asked)}
    assert names - known == set()
    shown = {name.removesuffix("_bucket") for name in re.findall(r"\b(?:twohand|vcs)_[a-z_]+\b", " ".join(EXPRESSIONS))}
    assert known - shown == set()


def test_panels_have_names_and_do_not_overlap():
    """Ids differ, and no two stand on the same place."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["description"] for panel in panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """A real Prometheus with our rules that scrapes our numbers and those of a worker; its address."""
    folder = tmp_path_factory.mktemp("prometheus")
    binary = program("prometheus", "prometheus")
    listener = Listener("0", counted())
    with Receiver((200, exported(), {"Content-Type": CONTENT_TYPE})) as numbers, closing(listener):
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": "twohand", "static_configs": [{"targets": [numbers.url.removeprefix("http://")]}]},
                {"job_name": "twohand-workers", "static_configs": [{"targets": [f"127.0.0.1:{listener.port}"]}]},
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        port = free_port()
        command = [binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, cwd=folder
            )
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{url}/-/ready"))
            eventually(lambda: asked(url, "query", query="twohand_decisions_total")["result"])
            eventually(lambda: asked(url, "query", query="twohand_worker_records_total")["result"])
            yield url
        finally:
            process.terminate()
            process.wait(10)


def asked(url, what, **query):
    with urllib.request.urlopen(f"{url}/api/v1/{what}?{urllib.parse.urlencode(query)}", timeout=5) as reply:
        return json.load(reply)["data"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_panel_is_answered(prometheus, expression):
    """Each query of the dashboard is one that a real Prometheus takes and finds something for."""
    found = asked(prometheus, "query", query=expression)["result"]
    if "rate(" not in expression and "increase(" not in expression:
        assert found, expression


def test_rules_are_loaded_and_one_fires(prometheus):
    """All are healthy; the break-glass of the week is told at once."""

    def rules():
        groups = asked(prometheus, "rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    eventually(lambda: all(rule["health"] == "ok" for rule in rules().values()))
    eventually(lambda: rules()["TwohandBreakGlass"]["state"] == rules()["TwohandDeadLetters"]["state"] == "firing")
    assert {rules()[name]["state"] for name in ("TwohandGone", "TwohandWorkerGone", "TwohandStoreGone")} == {"inactive"}


def test_prometheus_of_the_containers_asks_every_worker():
    """Each service that is told to listen is scraped there, and nothing else is."""
    services = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text("utf-8"))["services"]
    said = {name: service["command"] for name, service in services.items() if "--listen" in service.get("command", [])}
    ports = {f"{name}:{words[words.index('--listen') + 1].rpartition(':')[2]}" for name, words in said.items()}
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    [targets] = [job["static_configs"][0]["targets"] for job in jobs if job["job_name"] == "twohand-workers"]
    assert set(targets) == ports
    assert ports
