"""The rules of the house, checked on the repository itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "pocketrcnn"
FILES = sorted(SOURCE.rglob("*.py"))
CAMPAIGNS = sorted((ROOT / "campaigns").rglob("*.py"))
LESSONS = sorted((ROOT / "lessons").rglob("*.py"))
OTHERS = [path for name in ("scripts", "tests") for path in sorted((ROOT / name).rglob("*.py"))]
SCRIPTS = [*FILES, *OTHERS, *CAMPAIGNS, *LESSONS]
FACES = [path for path in FILES if path.name == "__init__.py" and path.parent != SOURCE]
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_MODEL = 300, 60, 1500  # lines
Function = ast.FunctionDef | ast.AsyncFunctionDef
CALLED_BY_LIBRARIES = {"forward", "backward", "error"}  # torch and argparse say what these do
CONFIGURATION = {"experiments.py", "config.py"}  # where recipes have names

# Who may import whom: a file imports from its room and from the rooms before it. `custom` and `course` are level.
ORDER = (
    "version errors config terminal screen model data evaluation training report custom,course cli "
    "__main__,runtime,scale,__init__"
)
ROOMS = ("model", "data", "evaluation", "training", "report", "custom", "course", "cli")
WITHOUT_TORCH = {  # when they are imported; what needs it imports it later
    *(
        "errors.py",
        "config.py",
        "terminal.py",
        "screen.py",
        "model/architectures.py",
        "model/interchange.py",
        "data/*",
        "report/*",
    ),
    *(f"evaluation/{name}.py" for name in ("coco", "average_precision", "outcomes", "thresholds", "tables")),
    *(
        f"custom/{name}.py"
        for name in (
            "anchors",
            "plan",
            "reasons",
            "learnable",
            "predict",
            "counts",
            "result_files",
            "picture_files",
            "loading",
            "parts/*",
            "scale/*",
            "coco_ids",
            "onnx/runtime",
        )
    ),
    "cli/*",
}
WITH_TORCH = ("data/dataset.py", "data/folders.py", "data/crops.py", "data/augment/*")
ALONE = {  # libraries that one place speaks to
    "hotcoco": "evaluation/coco.py",
    "matplotlib": "report/charts.py",
    "onnx": "custom/onnx/*",
    "onnxruntime": "custom/onnx/*",
    "onnxscript": "custom/onnx/*",
    "pyarrow": "custom/parts/parquet.py",
}
DECODES = (  # whatever people have; the rest are heads of files, and pictures that this package wrote itself
    *(f"data/images/{name}.py" for name in ("pixels", "identifying", "deep", "mending")),
    *("data/formats/writing.py", "course/data/*"),
)

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
each_of_both = pytest.mark.parametrize("path", [*FILES, *LESSONS], ids=lambda path: path.relative_to(ROOT).as_posix())
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def covered() -> str:
    """The docstrings of all test files, which name the modules that they cover besides that of their name."""
    return "\n".join(ast.get_docstring(tree(path)) or "" for path in (ROOT / "tests").rglob("test_*.py"))


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def text_files() -> list[Path]:
    """Everything that people read: sources, tests, scripts, pages, and the files of the project's root."""
    folders = [
        path
        for name in ("src", "tests", "scripts", "benchmarks", "campaigns", "docs", "examples", "lessons", ".ci")
        for path in (ROOT / name).rglob("*")
    ]
    files = [path for path in (*folders, *ROOT.glob("*"), ROOT / ".gitignore") if path.is_file()]
    kept = [path for path in files if path.name != ".git" and "lesson-8" not in path.parts]  # what that lesson makes
    return [path for path in kept if path.suffix not in (".png", ".pyc", ".jpg", ".whl", ".safetensors", ".ipynb")]


@each_of_both
def test_files_can_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@each_of_both
def test_functions_are_short(path: Path) -> None:
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > LONGEST_FUNCTION]
    assert long == []


def test_functions_are_about_ten_lines_long() -> None:
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for path in FILES for f in functions(path))
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[len(lengths) * 9 // 10] <= 30


@each_of_both
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


def name(path: Path) -> str:
    """As messages write it: `data/folders.py`."""
    return path.relative_to(SOURCE).as_posix()


def neighbours(path: Path) -> Iterator[Path]:
    """Files of the package that a file imports, wherever in it, for types alone too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("pocketrcnn") for alias in node.names), f"{name(path)}: write `from .`"
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        module = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for alias in node.names:
            choices = (module / f"{alias.name}.py", module / alias.name / "__init__.py", module.with_suffix(".py"))
            yield next((file for file in choices if file.is_file()), module / "__init__.py")


def room_of(path: Path) -> str:
    return name(path).split("/")[0].removesuffix(".py")


@each_file
def test_a_file_imports_from_its_room_and_those_before_it(path: Path) -> None:
    rank = {room: number for number, level in enumerate(ORDER.split()) for room in level.split(",")}
    others = [other for other in neighbours(path) if room_of(other) != room_of(path)]
    wrong = [name(other) for other in others if rank[room_of(other)] >= rank[room_of(path)]]
    assert wrong == [], "\n".join(f"`{name(path)}` may not import `{other}`" for other in wrong)


def test_no_circle_of_imports() -> None:
    graph = {name(path): {name(other) for other in neighbours(path)} - {name(path)} for path in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(reversed(error.args[1]))}")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_nothing_by_itself(room: str) -> None:
    nodes = ast.walk(tree(SOURCE / room / "__init__.py"))
    message = f"{room}/__init__.py imports nothing: who needs a file of the room imports that file"
    assert not [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)], message


@pytest.mark.parametrize("face", FACES, ids=lambda path: path.parent.relative_to(SOURCE).as_posix())
def test_a_folder_says_what_its_files_are_for(face: Path) -> None:
    text = ast.get_docstring(tree(face)) or ""
    entries = [path for path in sorted(face.parent.iterdir()) if not path.name.startswith("__")]
    names = {f"{path.name}/" if path.is_dir() else path.stem for path in entries}
    if face.parent.name == "model":  # with the path and the lines of each file
        listed = {Path(file).stem for file, _ in reading_order() if file.startswith("model/")}
    else:
        listed = set(re.findall(r"^(\w+/?)  +\S", text, re.MULTILINE))
    missing, gone = sorted(names - listed), sorted(listed - names)
    assert not missing, f"{name(face)} says what each file is for, a line each: add {missing}"
    assert not gone, f"{name(face)} has lines about files that are not there: {gone}"


def reading_order() -> list[tuple[str, int]]:
    """The files of an afternoon, with their lines, as `model/__init__.py` gives them."""
    text = (SOURCE / "model" / "__init__.py").read_text(encoding="utf-8")
    return [(file, int(lines)) for file, lines in re.findall(r"^    ([\w/]+\.py) +(\d+)  \S", text, re.MULTILINE)]


def test_the_way_through_the_detector_is_as_long_as_it_says() -> None:
    """Within a tenth: a line more here or there changes no afternoon."""
    assert len(reading_order()) > 10
    for file, lines in reading_order():
        now = len((SOURCE / file).read_text(encoding="utf-8").splitlines())
        assert abs(now - lines) <= max(5, now / 10), f"model/__init__.py gives {file} {lines} lines: write {now}"


def test_the_detector_is_read_in_an_afternoon() -> None:
    files = [path for path in FILES if name(path).startswith("model/")]
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= LONGEST_MODEL


def test_the_top_level_can_be_seen_at_once() -> None:
    entries = [path for path in SOURCE.iterdir() if path.name != "__pycache__"]
    assert sorted(path.name for path in entries if path.is_dir()) == sorted(ROOMS)
    assert len([path for path in entries if path.suffix == ".py"]) <= 9


def test_no_torch_where_none_is_needed() -> None:
    """Each is imported in one process; the first that brings torch is named."""
    patterns = [path for path in FILES if any(fnmatch(name(path), pattern) for pattern in WITHOUT_TORCH)]
    free = [path for path in patterns if not any(fnmatch(name(path), pattern) for pattern in WITH_TORCH)]
    modules = [name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in free]
    code = (
        "import importlib, sys\n"
        f"for module in {modules}:\n"
        "    importlib.import_module('pocketrcnn.' + module)\n"
        "    if 'torch' in sys.modules: sys.exit(f'pocketrcnn.{module} brings torch when it is imported')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@each_file
def test_a_library_that_one_file_speaks_to(path: Path) -> None:
    for library in set(imports(path)) & set(ALONE):
        place = ALONE[library]
        assert fnmatch(name(path), place), f"`{name(path)}` may not import {library}: only {place} does"
    opens = [ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
    if "Image.open" in opens:
        assert any(fnmatch(name(path), place) for place in DECODES), (
            f"only {DECODES[0]} decodes images, not {name(path)}"
        )


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "__init__.py"], ids=name)
def test_every_module_has_its_tests(path: Path) -> None:
    """Those of a file of its name, in the room of its name, or those of a file whose docstring names it."""
    expected = f"tests/{name(path).split('/')[0]}/test_{path.stem}.py"
    message = (
        f"`{name(path)}` has no tests: write {expected}, or name it in the docstring of the test file that covers it"
    )
    assert (ROOT / expected).is_file() or re.search(rf"`{re.escape(name(path))}`", covered()), message


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
    paths = [path.relative_to(ROOT).as_posix() for path in text_files() if somewhere.search(path.read_text("utf-8"))]
    assert paths == []


@each_file
def test_the_experiments_are_configurations_and_no_code_paths(path: Path) -> None:
    """No `if course:` outside the configuration: nothing is decided by the name of a recipe, network or experiment."""
    if path.name in CONFIGURATION:
        return
    decisions = [ast.unparse(condition) for condition in conditions(tree(path)) if decides_by_name(condition)]
    assert decisions == []


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
    from pocketrcnn.course.experiments import EXPERIMENTS, NETWORKS, RECIPES
    from pocketrcnn.course.observations import ARMS, OBSERVATIONS
    from pocketrcnn.course.only import DERIVED

    known = {*RECIPES, *NETWORKS, *EXPERIMENTS, *DERIVED, *ARMS, *OBSERVATIONS} - {
        "rpn"
    }  # `rpn` is also a part of every detector
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
