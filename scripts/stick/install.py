"""Install pocket-rcnn and its lessons on a laptop, from the folder in which this file is, without a network.

    python3 install.py                     into the folder pocket-rcnn in the home folder
    python3 install.py FOLDER              into another one

It needs Python with its venv module alone. A second call installs again, and leaves work in lessons/ as it is.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

STICK = Path(__file__).resolve().parent
RECORDS = "cifar-10-batches-bin"


def main() -> int:
    """The exit code: 2 where this stick is for other machines."""
    made = json.loads((STICK / "stick.json").read_text(encoding="utf-8"))
    for name, value in here().items():
        if value != made[name]:
            said, wanted = (".".join(one) if isinstance(one, list) else one for one in (value, made[name]))
            print(f"this stick is for {name} {wanted}, here is {said}: use another Python, or a stick for {said}")
            return 2
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / "pocket-rcnn"
    folder = folder.resolve()
    copy_project(folder)
    install(folder)
    show(folder)
    return 0


def here() -> dict[str, object]:
    """What the packages of a stick depend on."""
    python = list(platform.python_version_tuple()[:2])
    return {"python": python, "system": platform.system(), "machine": platform.machine()}


def copy_project(folder: Path) -> None:
    """The files of the project; those of lessons/ that are there already stay, students may have worked in them."""
    for path in sorted((STICK / "pocket-rcnn").rglob("*")):
        inside = path.relative_to(STICK / "pocket-rcnn")
        target = folder / inside
        if path.is_dir() or (inside.parts[0] == "lessons" and target.exists()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def install(folder: Path) -> None:
    """An environment, the packages, the notebooks, and CIFAR-10 if the stick has it."""
    run(sys.executable, "-m", "venv", folder / ".venv")
    wheels = ("--no-index", "--find-links", STICK / "wheels")
    pip = (python(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, *wheels, "pocket-rcnn[lessons]")
    run(python(folder), "-m", "lessons.making", "notebooks", within=folder)
    if (STICK / RECORDS).is_dir():
        run(python(folder), "-m", "pocketrcnn", "download", "cifar10", "--from", STICK / RECORDS)


def run(*words: object, within: Path | None = None) -> None:
    """Run a program, without what this machine has set for pip; its failure ends this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        list(map(str, words)), cwd=within, env=environment | {"PIP_CONFIG_FILE": os.devnull}, check=False
    )
    if done.returncode:
        sys.exit(f"this failed: {' '.join(map(str, words))}")


def python(folder: Path) -> Path:
    """The Python of the environment."""
    return folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def show(folder: Path) -> None:
    """How to begin."""
    print(f"installed in {folder}; begin with\n")
    print(f"    cd {folder}\n    {python(folder)} -m jupyter lab lessons\n")


if __name__ == "__main__":
    sys.exit(main())
