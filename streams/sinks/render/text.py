"""A decision in words."""
import json
def render(decision, *, quiet, verbose, colour):
    return json.dumps(decision, indent=1)+"\n"
