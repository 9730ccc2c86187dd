"""The folder of what is downloaded and decoded once."""

import os
from pathlib import Path

OTHER_CACHE = "set POCKETRCNN_DATA to another folder"


def cache_root() -> Path:
    """Where data is kept: the environment's POCKETRCNN_DATA, else the platform's cache folder."""
    if chosen := os.environ.get("POCKETRCNN_DATA"):
        return Path(os.path.expanduser(chosen))
    import platformdirs

    return Path(platformdirs.user_cache_dir("pocketrcnn"))
