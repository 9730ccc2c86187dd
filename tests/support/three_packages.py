"""An environment with numpy, Pillow, onnxruntime and this package alone: nothing is hidden, nothing else is there."""

from __future__ import annotations

import subprocess
import venv
from importlib import metadata
from pathlib import Path

import pocketrcnn

THREE = ("numpy", "pillow", "onnxruntime")


def environment(folder: Path) -> Path:
    """Make it from the packages of this one, by links; returns its interpreter."""
    venv.create(folder, symlinks=True)
    python = next(path for name in ("bin/python", "Scripts/python.exe") if (path := folder / name).exists())
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    for name in THREE:
        files = metadata.distribution(name).files or ()
        for top in {path.parts[0] for path in files} - {"..", "__pycache__"}:
            (place / top).symlink_to(metadata.distribution(name).locate_file(top))
    (place / "pocketrcnn").symlink_to(Path(pocketrcnn.__file__).parent)
    return python
