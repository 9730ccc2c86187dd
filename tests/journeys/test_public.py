"""The public names are there, and importing the package alone loads nothing heavy.

Covers `version.py`.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pocketrcnn


@pytest.mark.parametrize("name", pocketrcnn.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(pocketrcnn, name) is not None
    assert name in dir(pocketrcnn)


def test_types_are_imported_from_where_names_are() -> None:
    """For editors and mypy, which do not see what `__getattr__` does."""
    module = ast.parse(Path(pocketrcnn.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in module.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    imported = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == pocketrcnn._HOME
    assert (Path(pocketrcnn.__file__).parent / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"pocketrcnn.*has no attribute 'detektor'"):
        pocketrcnn.detektor  # noqa: B018


def test_importing_the_package_loads_no_torch() -> None:
    code = "import pocketrcnn, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
