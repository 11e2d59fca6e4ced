"""Where everything has to run, a test that was skipped is one that failed: for whatever reason, of whatever module."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

EVERYTHING = "TWOHAND_TEST_EVERYTHING"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """A test, or its fixtures."""
    report = yield
    return _failed(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[Any]:
    """A whole module."""
    report = yield
    return _failed(report)


def _failed(report: Any) -> Any:
    if report.skipped and os.environ.get(EVERYTHING) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{EVERYTHING} is set, and this cannot run here. {reason}"
    return report
