"""A virtual environment for each peer, with the versions of its file in `requirements/`.

torch comes from where the installer is configured to look: `uv` is told to take the build for processors, `pip` takes
what its own configuration gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pocketrcnn.data.files import write_atomically
from pocketrcnn.errors import UserError
from pocketrcnn.terminal import say

REQUIREMENTS = Path(__file__).parent / "requirements"
OURS = "ours"  # the environment that this program runs in
INSTALLERS: dict[str, Sequence[str]] = {
    "uv": ("uv", "pip", "install", "--torch-backend", "cpu", "--python", "{python}", "-r", "{file}"),
    "pip": ("{python}", "-m", "pip", "install", "--quiet", "-r", "{file}"),
}
INSTALLED = "installed.txt"  # what was asked for: a copy of the file of requirements


def python_of(name: str, folder: Path) -> Path:
    """The interpreter of an environment in `folder`, which `install` has made."""
    if name == OURS:
        return Path(sys.executable)
    return folder / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(name: str, folder: Path, installer: str) -> None:
    """Make an environment, unless it is there with these very versions. Raises UserError where that fails."""
    if name == OURS:
        return
    file, place = REQUIREMENTS / f"{name}.txt", folder / name
    wanted = file.read_bytes()
    if (place / INSTALLED).is_file() and (place / INSTALLED).read_bytes() == wanted:
        return
    say(f"environment {name}: installing by {installer}")
    called([sys.executable, "-m", "venv", "--clear", str(place)])
    called([word.format(python=python_of(name, folder), file=file) for word in INSTALLERS[installer]])
    write_atomically(place / INSTALLED, wanted)


def called(command: Sequence[str]) -> None:
    """Run a command. Raises UserError where it is not there or fails."""
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise UserError(f"{command[0]} is not installed: `pip install uv`, or use `--installer pip`") from error
    except subprocess.CalledProcessError as error:
        raise UserError(f"`{' '.join(command)}` failed: see above, then call this again") from error
