"""What to do where the packages of an extra are missing."""

from typing import Final

CLIENTS: Final = (
    "Install the clients: pip install 'twohand[kafka]' where twohand came from (in a checkout: pip install '.[kafka]')"
)
