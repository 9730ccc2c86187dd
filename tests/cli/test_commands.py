"""The command line as a user types it.

Covers `cli/course.py`, `cli/data.py`, `cli/detector.py`, `cli/main.py`, `cli/measure.py`, `cli/parsing.py`,
`cli/tables.py`, `__main__.py`, `terminal.py`, `screen.py`, `errors.py`.
"""

import ast
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import painted
import pytest
import torch
from PIL import Image
from shell import Shell, few_evaluations, finish, start

from pocketrcnn import terminal
from pocketrcnn.cli.main import parser
from pocketrcnn.cli.parsing import HINTS, Parser
from pocketrcnn.course.data.course_layout import cell_labels
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.evaluation.tables import by_class
from pocketrcnn.screen import print_table, table_of
from pocketrcnn.terminal import say
from pocketrcnn.version import __version__

COMMANDS = (
    "check",
    "convert",
    "train",
    "resume",
    "sweep",
    "eval",
    "predict",
    "export",
    "explain",
    "reproduce",
    "download",
    "scenes",
    "costs",
    "bench",
    "report",
)


def test_help_names_every_command(shell: Shell) -> None:
    code, out, err = shell("--help")
    assert (code, err) == (0, "")
    assert all(f"    {command}" in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_names_its_options(shell: Shell, command: str) -> None:
    code, out, err = shell(f"{command} --help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: pocketrcnn {command}")
    assert "None" not in out
    options = {"reproduce": "--full --recipe --only --seeds --iterations --device --data --out", "download": "--from"}
    assert all(option in out for option in options.get(command, "").split())


def test_help_imports_nothing_heavy() -> None:
    """`--help` answers at once: torch alone takes seconds to import."""
    script = f"""
import sys
from pocketrcnn.cli.main import main
for words in (["--help"], ["--version"], *([command, "--help"] for command in {COMMANDS})):
    try:
        main(words)
    except SystemExit as end:
        assert not end.code, words
print(sorted({{"torch", "matplotlib", "numpy", "PIL", "jinja2", "rich", "safetensors"}} & set(sys.modules)))
"""
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ast.literal_eval(completed.stdout.splitlines()[-1]) == []


def test_version(shell: Shell) -> None:
    assert shell("--version") == (0, f"pocketrcnn {__version__}\n", "")


def test_the_module_is_the_command() -> None:
    code, out, err = finish(start("costs", "convnt"))
    assert (code, out) == (2, "")
    assert err.startswith("pocketrcnn: NETWORK: unknown word `convnt` (did you mean `convnet`?)")
    assert err.count("\n") == 1


def test_no_command_shows_the_help_and_fails(shell: Shell) -> None:
    code, out, _ = shell("")
    assert code == 2
    assert out.startswith("usage: pocketrcnn")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("reproduc", "COMMAND: unknown word `reproduc` (did you mean `reproduce`?)"),
        ("--vresion", "unknown option --vresion (did you mean `--version`?)"),
        ("reproduce --seedss 2", "unknown option --seedss (did you mean `--seeds`?)"),
        ("reproduce --iteration=3", "unknown option --iteration (did you mean `--iterations`?)"),
        ("reproduce --recipe pockt", "--recipe: unknown word `pockt` (did you mean `pocket`?)"),
        ("reproduce --iterations few", "argument --iterations: invalid int value: 'few'"),
        ("reproduce --only", "argument --only: expected one argument"),
        ("reproduce B1", "unrecognized arguments: B1 (did you mean `--only B1`?)"),
        ("export RUN --page a.html", "unrecognized arguments: a.html (did you mean `--out a.html`?)"),
        ("export RUN elsewhere", "unrecognized arguments: elsewhere"),
        ("reproduce f2 --full B4,R1", "unrecognized arguments: f2 B4,R1 (did you mean `--only f2,B4,R1`?)"),
        ("reproduce everything", "unrecognized arguments: everything (see `pocketrcnn reproduce --help`)"),
        ("download cifar10 B1", "unrecognized arguments: B1 (see `pocketrcnn --help`)"),
        ("costs mobilnet", "NETWORK: unknown word `mobilnet` (did you mean `mobilenet`?)"),
        ("costs convnet --jsn", "unknown option --jsn (did you mean `--json`?)"),
        ("costs", "the following arguments are required: NETWORK"),
        ("bench steps", "WHAT: unknown word `steps` (did you mean `step`?)"),
        ("download cifar100", "NAME: unknown word `cifar100` (did you mean `cifar10`?)"),
        ("scenes there --data sampl", "--data: unknown word `sampl` (did you mean `sample`?)"),
    ],
)
def test_unknown_words_name_the_nearest(shell: Shell, words: str, message: str) -> None:
    line = shell.refused(words)
    assert line.startswith(f"pocketrcnn: {message}")
    assert "--help`)" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train there --turn", "--turn: use --rotate"),
        ("train there --size 64", "--size: use --input-size"),
        ("train there --imgsz=64", "--imgsz: use --input-size"),
        ("costs detector --size 64", "--size: use --input-size"),
        ("train there --epochs 10", "--epochs: use --minutes or --iterations to set the length of training"),
        ("reproduce --epochs 10", "--epochs: use --iterations to set the length of training"),
        ("train there --lr 0.1", "--lr: use --set optim.lr=0.005"),
        ("train there --learning_rate 0.1", "--learning_rate: use --set optim.lr=0.005"),
        ("train there --batch-size 8", "--batch-size: use --batch"),
        ("train there --num-workers 8", "--num-workers: leave it out, images are not read by processes of their own"),
        ("train there --gpu", "--gpu: use --device cuda"),
        ("train there --weights w.pt", "--weights: leave it out, every network is trained from scratch"),
        ("predict run a.png --weights w.pt", "--weights: name the folder of the run, without an option"),
        ("predict run a.png --conf 0.3", "--conf: use --threshold"),
        ("predict run a.png --iou 0.3", "--iou: train with --set model.nms_iou=0.6"),
        ("train --data there", "--data: write the path without an option"),
    ],
)
def test_words_of_other_tools_are_answered_with_ours(shell: Shell, words: str, message: str) -> None:
    line = shell.refused(words)
    assert line.startswith(f"pocketrcnn: unknown option {message}")
    assert line.endswith(f"(see `pocketrcnn {words.split(maxsplit=1)[0]} --help`)")


def test_hints_name_options_that_exist() -> None:
    known = {option for name in COMMANDS for action in commands()[name]._actions for option in action.option_strings}
    for words, needed, text in HINTS:
        assert needed in {"", *known}
        named = {word for word in text.split() if word.startswith("--")}
        assert named <= known, words
        assert not (known - {"--data", "--images"}) & set(words), "an option of ours is no word of others"


def commands() -> dict[str, Parser]:
    """The parser of each command."""
    (action,) = (one for one in parser()._actions if one.dest == "verb")
    return action.choices  # type: ignore[return-value]


def test_options_are_not_abbreviated(shell: Shell) -> None:
    """An abbreviation that works today is another option's tomorrow."""
    assert "did you mean `--iterations`" in shell.refused("reproduce --iter 3")


class Noticed:
    """Something that may be referred to weakly."""


def test_ctrl_c_is_not_lost_where_python_can_only_print_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a callback of a weak reference, as they are called while charts are drawn: the command went on."""

    def drawn(*_: object) -> None:
        with weak_callback(lambda: signal.raise_signal(signal.SIGINT)):
            pass
        time.sleep(10)

    monkeypatch.setattr("pocketrcnn.model.costs.summary", drawn)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    try:
        code, _, err = shell("costs convnet")
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert err.strip() == "pocketrcnn: interrupted"


@contextmanager
def weak_callback(act: Callable[[], object]) -> Iterator[None]:
    """Call a function where Python calls back for an object that is gone."""
    noticed = Noticed()
    reference = weakref.ref(noticed, lambda _: act())
    yield
    del noticed
    assert reference() is None


def test_ctrl_c_anywhere_is_130_without_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pocketrcnn.model.costs.summary", interrupted)
    code, _, err = shell("costs convnet")
    assert code == 130
    assert err.strip() == "pocketrcnn: interrupted"
    monkeypatch.setattr("pocketrcnn.course.data.download.download_cifar10", interrupted)
    assert shell("download cifar10").err.strip() == "pocketrcnn: interrupted; the same command goes on from here"


def test_ctrl_c_while_an_error_is_printed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    usable, calls = terminal.usable, list[int]()

    def interrupted_once(width: os.terminal_size) -> os.terminal_size:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return usable(width)

    monkeypatch.setattr(terminal, "usable", interrupted_once)
    code, _, err = shell("check nowhere")
    assert code == 130
    assert err.strip() == "pocketrcnn: interrupted"


@pytest.mark.parametrize(
    ("network", "parameters", "multiplications"),
    [("convnet", 2_264_362, 46_497_792), ("mobilenet", 1_235_995, 6_824_960), ("resnet", 2_403_082, 59_179_008)],
)
def test_costs_are_those_of_the_course(shell: Shell, network: str, parameters: int, multiplications: int) -> None:
    code, out, _ = shell(f"costs {network} --json")
    counts = json.loads(out)
    assert code == 0
    assert (counts["parameters"], counts["multiplications"]) == (parameters, multiplications)
    code, out, _ = shell(f"costs {network}")
    assert code == 0
    assert f"{network}, input 3×32×32: {parameters:,} parameters" in out
    assert f"{multiplications:,} multiplications in convolutions, 5,120 in linear layers" in out
    assert all(layer["name"] in out for layer in counts["layers"])
    assert "…" not in out, "no number is cut off"


@pytest.mark.parametrize("network", NETWORKS)
def test_costs_know_every_network(shell: Shell, network: str) -> None:
    assert shell(f"costs {network} --input-size 96")[0] == 0
    assert shell(f"costs {network} --input-size 1000000")[0] == 0, "counted, not computed"


def test_costs_of_another_size(shell: Shell) -> None:
    whole, double = (json.loads(shell(f"costs convnet --json --input-size {size}").out) for size in (32, 64))
    assert double["multiplications"] == 4 * whole["multiplications"]
    assert double["parameters"] == whole["parameters"]
    assert "--input-size 9999999: use at most 1000000 pixels" in shell.refused("costs convnet --input-size 9999999")
    assert "--input-size 4: this network needs images of at least 32 pixels" in shell.refused(
        "costs convnet --input-size 4"
    )


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_closed_pipe_is_no_error(option: tuple[str, ...]) -> None:
    """`pocketrcnn costs convnet | head -1`"""
    process = start("costs", "convnet", *option)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 0


def test_scenes_are_written_in_the_courses_layout_and_trained_on(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_evaluations(monkeypatch)
    folder, out = tmp_path / "scenes", tmp_path / "out"
    code, text, _ = shell("scenes --data sample", folder)
    assert code == 0
    assert text.startswith("1500 scenes written to")
    assert sorted(path.name for path in folder.iterdir()) == ["devkit", "imgs", "masks"]
    assert len((folder / "devkit" / "train.txt").read_text().splitlines()) == 1000
    assert len(list((folder / "imgs").iterdir())) == len(list((folder / "masks").iterdir())) == 1500
    with Image.open(folder / "masks" / "test_00000.png") as mask:
        assert mask.size == (6, 6)
        assert 1 in set(mask.tobytes()) <= {0, 1, 2}
    code, _, err = shell("reproduce --only R1 --iterations 1 --batch 4 --out", out, "--data", folder)
    assert (code, err) == (0, "")
    (record,) = json.loads((out / "results.json").read_text())["experiments"]
    assert record["report"] is None, "who knows what is in the folder"
    assert "is not empty: name an empty or a new folder" in shell.refused("scenes --data sample", folder)


def test_masks_follow_the_rules_of_the_paper() -> None:
    """Above 0.7 or best: object; below 0.1: background; else ignored. Anchors of 32 on cells of 8."""
    masks = cell_labels(torch.tensor([[8.0, 8, 40, 40], [0, 0, 24, 24], [4, 4, 36, 36]]))
    assert masks.shape == (3, 6, 6)
    assert [int((mask == 1).sum()) for mask in masks] == [4, 1, 1], "between four anchors, small, exactly an anchor"
    assert masks[2, 2, 2] == 1
    assert masks[1, 1, 1] == 1, "the best anchor of a small object, below 0.7"
    assert masks[1, 5, 5] == 0
    assert (masks[0] == 2).any()


def test_report_is_made_again_from_the_results(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few_evaluations(monkeypatch)
    assert shell("reproduce --data sample --only R1 --iterations 1 --batch 4 --out", tmp_path / "out").code == 0
    page = tmp_path / "out" / "report.html"
    before = page.read_text()
    page.unlink()
    code, out, _ = shell("report", tmp_path / "out")
    assert code == 0
    assert out.startswith("report: ")
    assert page.read_text() == before


def test_report_of_the_file_of_results(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[]")
    assert f"{tmp_path / 'results.json'} is damaged" in shell.refused("report", tmp_path / "results.json")
    (tmp_path / "config.yaml").write_text("schema: 1")
    assert "name the output folder" in shell.refused("report", tmp_path / "config.yaml")


def test_report_of_a_folder_without_results(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "results.json does not exist: name the output folder" in shell.refused("report", tmp_path)
    assert "results.json does not exist" in shell.refused("report", tmp_path / "nowhere")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "results.json is damaged"), ("[]", "results.json is damaged"), ("{}", "has schema None")],
)
def test_report_of_damaged_results(shell: Shell, tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "results.json").write_text(content)
    assert reason in shell.refused("report", tmp_path)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("command", ["check", "convert", "train", "resume", "eval", "export", "report", "predict"])
def test_a_name_that_the_system_refuses_is_one_line(command: str, shell: Shell, tmp_path: Path) -> None:
    """On some systems and versions of Python the question whether there is such a file is an error itself."""
    words = {"convert": ("out", "--to", "coco"), "predict": (__file__,)}.get(command, ())
    message = shell.refused(command, tmp_path / ("x" * 300), *words)
    assert "x" * 300 in message


@pytest.mark.parametrize("name", ["cell [/dead]", "[red blood]", "[white]x", ":microscope:"])
def test_names_are_shown_as_they_are(name: str, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets and colons once were taken for colours and pictures, or ended `eval` in a traceback."""
    row = dict.fromkeys(("AP", "AP50", "AP75", "AR", "objects", "images"), 0) | {"name": name, "best": None}
    print_table(table_of(*by_class([row])))
    say(name)
    assert capsys.readouterr().out.count(name) == 2


def test_names_that_are_no_text_are_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the terminal is strict, they ended in a traceback when all was done."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
    monkeypatch.setenv("PYTHONUTF8", "1")
    out = tmp_path / os.fsdecode(b"s\xff")
    process = start("check", painted.write(tmp_path / "data", train=2), "--fix", out)
    printed, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "s\\udcff" in printed


@pytest.mark.parametrize(
    "environment",
    [{"COLUMNS": "0"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}],
    ids=["no width", "C locale", "ascii"],
)
def test_the_environment_takes_nothing_of_what_is_printed(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (20, 20), "red").save(tmp_path / "a.png")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "図.png")
    lines = ["image,class,x1,y1,x2,y2", "a.png,猫,1,2,9,9", "図.png,猫,1,2,9,9", "gone.png,犬,1,2,9,9"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines), encoding="utf-8")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, out, err = finish(start("check", tmp_path))
    assert (code, err) == (1, "")
    assert "csv, 1 image, 1 object" in out
    assert ("猫" if "COLUMNS" in environment else "\\u732b") in out
    assert "gone.png" in out


def test_a_name_that_the_systems_encoding_lacks_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        os.fspath(path).encode("ascii")

    monkeypatch.setattr("pocketrcnn.cli.data.inspected", lambda data, *_: refused(data), raising=False)
    monkeypatch.setattr("pocketrcnn.data.custom_data.inspected", lambda config: refused(Path(config.source)))
    message = shell.refused("check 猫")
    assert message.startswith(
        "pocketrcnn: the system's encoding, ascii, lacks the letters '\\u732b' of a name: set PYTHONUTF8=1"
    )


@pytest.mark.parametrize("count", [1, 2])
def test_one_of_several_processes_ends_at_once(count: int) -> None:
    """What is said is said, and the code is that of the command; but nothing is taken down bit by bit: a thread of
    gloo once aborted a process so, and torchrun the others."""
    code = "import atexit; from pocketrcnn.cli.main import run; atexit.register(print, 'taken down'); run()"
    environment = os.environ | {"RANK": "0", "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    for words, expected in ((["--version"], 0), (["costs", "nothing"], 2)):
        ended = subprocess.run(
            [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == expected, ended.stderr
        assert ("taken down" in ended.stdout) == (count == 1)
        assert ("pocketrcnn 0" in ended.stdout) == (not expected)
        assert ended.stderr.startswith("pocketrcnn: ") == bool(expected)
