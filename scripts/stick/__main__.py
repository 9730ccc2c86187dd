"""Fill a USB stick with all that a class needs, so that laptops install without a network.

    python scripts/stick FOLDER            the packages, the project, its slides, CIFAR-10 if it is in the cache

The packages are wheels for the system and the Python of this machine: a class with other ones needs a folder for each,
filled on such a machine. In the folder, `python install.py` installs on a laptop.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from install import RECORDS, here

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


def main() -> int:
    """Fill the folder and say how much is in it."""
    parser = argparse.ArgumentParser(prog="python scripts/stick", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new or an empty folder, on the stick")
    parser.add_argument("--solutions", action="store_true", help="with lessons/solutions, which students can then read")
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        print(f"{folder} is not empty: name a new folder, nothing is overwritten", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for what, fill in {"packages": packages, "project": project, "slides": slides, "cifar10": cifar10}.items():
        if not (place := fill(folder)):
            print(f"{what}: none")
            continue
        print(f"{what}: {size(place) / 1e6:,.0f} MB in {place}")
    if not given.solutions:
        shutil.rmtree(folder / "pocket-rcnn" / "lessons" / "solutions")
    shutil.copy(HERE / "install.py", folder / "install.py")
    (folder / "stick.json").write_text(json.dumps(here()), encoding="utf-8")
    print(f"in all {size(folder) / 1e6:,.0f} MB; on a laptop: python3 {folder.name}/install.py")
    return 0


def packages(folder: Path) -> Path:
    """Wheels of the project and of all that lessons need, those of constraints.txt."""
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *constraints, "--wheel-dir", str(wheels), f"{ROOT}[lessons]"], check=True)
    return wheels


def project(folder: Path) -> Path:
    """The files of the last commit: lessons, documents, sources."""
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary, "project.tar")
        subprocess.run(["git", "-C", str(ROOT), "archive", "--output", str(archive), "HEAD"], check=True)
        with tarfile.open(archive) as tar:
            tar.extractall(folder / "pocket-rcnn", filter="data")
    return folder / "pocket-rcnn"


def slides(folder: Path) -> Path | None:
    """What `make slides` wrote."""
    made = ROOT / "build" / "slides"
    return Path(shutil.copytree(made, folder / "slides")) if made.is_dir() else None


def cifar10(folder: Path) -> Path | None:
    """What `pocketrcnn download cifar10` left in the cache; lessons do not need it, `reproduce` does."""
    from pocketrcnn.course.data.cifar import cifar10_folder

    records = cifar10_folder()
    return Path(shutil.copytree(records, folder / RECORDS)) if records.is_dir() else None


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
