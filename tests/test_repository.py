"""The rules of the house, checked on the repository itself."""

import ast
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "pocketrcnn"
FILES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = [*FILES, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
LONGEST_FILE, LONGEST_FUNCTION = 300, 60  # lines
Function = ast.FunctionDef | ast.AsyncFunctionDef
CALLED_BY_LIBRARIES = {"forward", "backward", "error"}  # torch and argparse say what these do
CONFIGURATION = {"experiments.py", "config.py"}  # where recipes have names

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def text_files() -> list[Path]:
    """Everything that people read: sources, tests, scripts, pages, and the files of the project's root."""
    folders = [path for name in ("src", "tests", "scripts", "docs", ".ci") for path in (ROOT / name).rglob("*")]
    kept = [path for path in (*folders, *ROOT.glob("*"), ROOT / ".gitignore") if path.is_file()]
    return [path for path in kept if path.suffix not in (".png", ".pyc", ".jpg", ".whl")]


def needed(name: str, extras: set[str], seen: set[str]) -> set[str]:
    """What a distribution needs here, and what that needs, added to `seen`."""
    for line in metadata.requires(name) or ():
        one = Requirement(line)
        wanted = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        if wanted and (label := canonicalize_name(one.name)) not in seen:
            seen.add(label)
            needed(one.name, one.extras, seen)
    return seen


def test_every_package_is_pinned() -> None:
    pins = {canonicalize_name(Requirement(line).name) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert needed("pocket-rcnn", {"dev"}, set()) - {"pocket-rcnn"} <= pins


@each_file
def test_files_can_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each_file
def test_functions_are_short(path: Path) -> None:
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > LONGEST_FUNCTION]
    assert long == []


def test_functions_are_about_ten_lines_long() -> None:
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for path in FILES for f in functions(path))
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[len(lengths) * 9 // 10] <= 30


@each_file
def test_names_say_what_is_inside(path: Path) -> None:
    assert path.stem not in ("utils", "util", "misc", "helpers", "helper", "common", "tools", "stuff")


@each_file
def test_modules_and_all_that_is_public_are_described(path: Path) -> None:
    if path.name == "version.py":
        return
    module = tree(path)
    assert ast.get_docstring(module), "a module says what it is for"
    assert [name for name in public_without_docstring(module)] == []


def public_without_docstring(parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if node.name not in CALLED_BY_LIBRARIES and not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from public_without_docstring(node)


def imports(path: Path) -> Iterator[str]:
    """Packages that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


@each_script
def test_no_torchvision_nor_what_needs_it(path: Path) -> None:
    assert not {"torchvision", "timm", "torchmetrics", "ultralytics", "albumentations"} & set(imports(path))


@each_file
def test_no_pickle_is_read_or_written(path: Path) -> None:
    """A pickle runs whatever its author wanted. Weights are safetensors, everything else is JSON or YAML."""
    assert not {"pickle", "dill", "joblib", "shelve", "marshal"} & set(imports(path))
    called = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not {"torch.load", "torch.save", "torch.hub.load", "yaml.load", "np.load", "np.save"} & called
    assert "allow_pickle" not in path.read_text(encoding="utf-8")


def test_no_path_of_one_machine() -> None:
    somewhere = re.compile(r"(?<![\w.~/-])/(?:home|root|work|tmp|Users|mnt)/\w")
    found = [path.relative_to(ROOT).as_posix() for path in text_files() if somewhere.search(path.read_text("utf-8"))]
    assert found == []


@each_file
def test_the_experiments_are_configurations_and_no_code_paths(path: Path) -> None:
    """No `if course:` outside the configuration: nothing is decided by the name of a recipe, network or experiment."""
    if path.name in CONFIGURATION:
        return
    found = [ast.unparse(condition) for condition in conditions(tree(path)) if decides_by_name(condition)]
    assert found == []


def conditions(module: ast.Module) -> Iterator[ast.AST]:
    """Every expression that decides what happens next."""
    for node in ast.walk(module):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.Compare | ast.BoolOp):
            yield node
        elif isinstance(node, ast.match_case):
            yield node.pattern


def decides_by_name(condition: ast.AST) -> bool:
    """Whether a recipe, a network or an experiment stands in an expression, as a name or as a text."""
    from pocketrcnn.course.experiments import DERIVED, EXPERIMENTS, NETWORKS, RECIPES

    known = {*RECIPES, *NETWORKS, *EXPERIMENTS, *DERIVED} - {"rpn"}  # `rpn` is also a part of every detector
    for node in ast.walk(condition):
        words = {getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "value", None)}
        texts = {word for word in words if isinstance(word, str)}
        if texts & known or any("course" in text.lower() for text in texts):
            return True
    return False


def test_that_check_finds_what_it_looks_for() -> None:
    for bad in (
        "if course: pass",
        "x = 1 if config.is_course else 2",
        'y = recipe == "course"',
        'z = [e for e in es if e.id == "F2"]',
    ):
        assert any(map(decides_by_name, conditions(ast.parse(bad)))), bad
    for good in ("if config.rpn is None: pass", 'if kind == "images": course(1)'):
        assert not any(map(decides_by_name, conditions(ast.parse(good)))), good
