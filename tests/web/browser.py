"""A real Chromium, driven by Playwright, and axe-core where it is to be had. Both are tools of the tests alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
AXE = "axe-core@4.14.1"
EVERYTHING = "TWOHAND_TEST_EVERYTHING"
LOOKS = ((360, "dark"), (1280, "light"))
ALL_LOOKS = (*LOOKS, (360, "light"), (1280, "dark"))


def needed() -> None:
    """Skip where a browser or its driver is not installed."""
    pytest.importorskip("playwright", reason="the driver `playwright` is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium on the PATH; Debian's package `chromium` has one", allow_module_level=True)


@contextmanager
def chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def axe(cache: Path) -> str:
    """The source of axe-core: the file that TWOHAND_AXE names, else what npm fetches into `cache`."""
    if named := os.environ.get("TWOHAND_AXE"):
        return Path(named).read_text("utf-8")
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("axe-core is not here: set TWOHAND_AXE to an axe.min.js, or install npm")
    if not list(cache.glob("axe-core-*.tgz")):
        done = subprocess.run(
            [npm, "pack", "--silent", AXE], cwd=cache, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            pytest.skip(f"npm could not fetch {AXE}: {done.stderr.strip()[-200:]}")
    subprocess.run(["tar", "xzf", next(cache.glob("axe-core-*.tgz")).name, "package/axe.min.js"], cwd=cache, check=True)
    return (cache / "package" / "axe.min.js").read_text("utf-8")
