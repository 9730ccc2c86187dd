"""The folder of what is downloaded and decoded once."""

import os
from pathlib import Path

import platformdirs

OTHER_CACHE = "set POCKETRCNN_DATA to another folder"


def cache_root() -> Path:
    """Where data is kept: the environment's POCKETRCNN_DATA, else the platform's cache folder."""
    chosen = os.environ.get("POCKETRCNN_DATA")
    return Path(os.path.expanduser(chosen)) if chosen else Path(platformdirs.user_cache_dir("pocketrcnn"))
