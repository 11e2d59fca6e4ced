"""`twohand demo`: the recovery incident, end to end, offline, in a temporary repository."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from streams import demo as story
from streams.cli import INTERNAL

EPILOGUE = """
Now your own repository:

   twohand init      a first policy from what the repository shows
   twohand review    the verdict on your branch"""

Keep = Annotated[bool, typer.Option("--keep", help="Leave the repository there to look at, and say where.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only the steps.")]


def register(app: typer.Typer) -> None:
    app.command(name="demo")(demo)


def demo(*, keep: Keep = False, quiet: Quiet = False) -> int:
    """Tell the recovery incident with real commands.

    In a temporary repository; exit code 3 when a step comes out otherwise.
    """
    root = Path(tempfile.mkdtemp(prefix="twohand-demo-"))
    try:
        story.tell(root, lambda line: print(line, flush=True), quiet=quiet)
    except story.StoryFailed as failed:
        print(f"error: the demo did not come out as told: {failed}", file=sys.stderr)
        print("hint: please report this with the lines above.", file=sys.stderr)
        return INTERNAL
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    print(EPILOGUE if quiet else EPILOGUE.lstrip("\n"))
    if keep:
        print(f"\nThe repository is {root / 'shop'}; the keys are beside it.")
    return 0
