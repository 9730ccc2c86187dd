"""Bad input: one clear line that names the file or the option and the remedy, exit code 2, nothing half-written.

What can go wrong, and where it is tested; the command line as a whole is tested here.

unknown experiment                        test_experiments, here: test_options_are_refused_before_anything_is_written
unknown option, command, word             test_commands: test_unknown_words_name_the_nearest
missing data                              test_cifar, test_download: test_all_sources_fail;
                                          here: test_missing_data_name_the_command
corrupt data                              test_cifar: test_changed_byte_names_expected_and_found_checksum;
                                          test_download: test_one_wrong_record_and_nothing_is_stored;
                                          here: test_corrupt_data_show_file_and_both_checksums,
                                          test_a_damaged_cache_and_no_other_copy
truncated data                            test_cifar: test_truncated_file_names_expected_and_found_size;
                                          test_download: test_truncated_archive; here: test_truncated_data_...
scenes that cannot be read                test_course_layout; here: test_a_folder_that_is_no_data
a cache that another program is writing   test_download: test_wait_for_another_program_has_an_end, here too
no space left                             test_checkpoint, test_course_layout, test_download: test_no_space_left;
                                          here: test_no_space_left_and_then_some
an output that cannot be written          test_predict, test_checkpoint; here: test_impossible_places_...,
                                          test_an_evaluation_..., test_a_run_that_cannot_be_locked
results of other data in the folder       test_reproduce; here: test_results_of_other_data_stay
an output folder with something else      test_run, test_course_layout; here: test_a_folder_with_something_else
a configuration from another version      test_config_file, test_run; here: test_a_configuration_from_another_version
a damaged checkpoint, or another's        test_checkpoint, test_fit; here: test_a_checkpoint_that_...
--device cuda where there is none         here: test_options_are_refused_before_anything_is_written
iterations, batch, seeds, rounds of zero  test_config_file; here: test_options_are_refused_before_anything_is_written
resumed with other settings               test_run; here: test_resumed_with_other_settings
Ctrl-C, SIGTERM, SIGKILL                  test_fit (the same bytes);
                                          here, as real processes: test_a_stopped_run_goes_on
"""

import errno
import json
import lzma
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import fake_cifar
import pytest
import torch
from disks import full
from filelock import FileLock
from runs_in_seconds import interrupt_after
from shell import Shell, few_evaluations, finish, short_sample, start
from tiny_detectors import tiny_run

from pocketrcnn.cli.main import main
from pocketrcnn.course.data import cifar, download
from pocketrcnn.data import files
from pocketrcnn.data.images import cache
from pocketrcnn.training import fit

pytestmark = pytest.mark.slow

B2 = "reproduce --data sample --only B2 --iterations 4 --batch 4 --out"
F3 = "reproduce --data sample --only F3 --iterations 1 --batch 4 --out"
RUN = "B2-pocket-4-sample-seed0"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    few_evaluations(monkeypatch)
    short_sample(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return Shell(capsys)


@pytest.fixture
def stopped(shell: Shell, tmp_path: Path) -> Path:
    """The output folder of a call that was interrupted in its second iteration."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 2)
        code, _, err = shell(B2, tmp_path / "out")
    assert code == 130
    message = f"pocketrcnn: interrupted at iteration 2 of {RUN}, state saved; the same command goes on from here"
    assert err.strip() == message
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("reproduce --only B9", "--only B9: no such experiment (did you mean `B"),
        ("reproduce --device cuda", "--device cuda: torch finds no CUDA device here; use --device cpu"),
        ("reproduce --device gpu", "--device gpu is unknown: use auto, cpu or cuda"),
        ("reproduce --iterations 0", "--iterations 0: use 1 or more"),
        ("reproduce --iterations -3", "--iterations -3: use 1 or more"),
        ("reproduce --batch 0", "--batch 0: use 2 or more images"),
        ("reproduce --batch 1", "--batch 1: use 2 or more images"),
        ("reproduce --seeds 0", "--seeds 0: use 1 or more"),
        ("reproduce --checkpoint -1", "--checkpoint -1: use 0 or more seconds"),
        ("reproduce --checkpoint nan", "--checkpoint nan: use 0 or more seconds, a finite number"),
        ("reproduce --checkpoint inf", "--checkpoint inf: use 0 or more seconds, a finite number"),
        (
            "reproduce --full --iterations 9",
            "--full means 2000 iterations: leave out --iterations, or leave out --full",
        ),
        ("reproduce --data sampel", "--data sampel: no such folder (did you mean `sample`?); use cifar10, sample or"),
        ("reproduce --data nowhere/at/all", "--data nowhere/at/all: no such folder"),
        (
            "reproduce --backgrounds nowhere",
            "--backgrounds nowhere: train.bin is missing: name a folder with CIFAR-100's train.bin and test.bin",
        ),
        (
            "reproduce --data . --backgrounds nowhere",
            "--backgrounds cannot change the scenes of --data .: leave one of the two out",
        ),
        ("scenes there --backgrounds nowhere", "--backgrounds nowhere: train.bin is missing: name a folder with"),
        ("scenes there --objects 0-6 --backgrounds x", "--backgrounds belongs to scenes with one object: leave out"),
        ("train . --anchors 5xnan", "--anchors 5xnan: write widths and heights above 0, as in 12x12,24x16"),
        ("train . --anchors 8x8,infx5", "--anchors 8x8,infx5: write widths and heights above 0, as in 12x12,24x16"),
        ("bench step --rounds 0", "--rounds 0: use 1 or more"),
    ],
)
def test_options_are_refused_before_anything_is_written(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell.refused(words).startswith(f"pocketrcnn: {message}")
    assert list(tmp_path.iterdir()) == []


def test_missing_data_name_the_command(shell: Shell, tmp_path: Path) -> None:
    line = shell.refused("scenes", tmp_path / "scenes")
    assert "data_batch_1.bin is missing: run `pocketrcnn download cifar10`" in line
    assert not (tmp_path / "scenes").exists()


def test_corrupt_data_show_file_and_both_checksums(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache")
    good = contents["data_batch_1.bin"]
    bad = contents | {"data_batch_1.bin": good[:-1] + bytes([good[-1] ^ 1])}
    sums = fake_cifar.md5(good), fake_cifar.md5(bad["data_batch_1.bin"])
    line = shell.refused("download cifar10 --from", fake_cifar.write(tmp_path / "mine", bad))
    assert "data_batch_1.bin" in line
    assert all(checksum in line for checksum in sums)
    assert not cifar.cifar10_folder().exists(), "nothing is stored"
    folder = fake_cifar.write(cifar.cifar10_folder(), bad)
    line = shell.refused("scenes", tmp_path / "scenes")
    assert str(folder / "data_batch_1.bin") in line
    assert all(checksum in line for checksum in sums)
    assert not (tmp_path / "scenes").exists()


@pytest.mark.parametrize("words", ["download cifar10", "reproduce --only B1 --out"])
def test_a_damaged_cache_and_no_other_copy(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache")
    defaults = {**download.download_cifar10.__kwdefaults__, "urls": (), "npm": ""}
    monkeypatch.setattr(download.download_cifar10, "__kwdefaults__", defaults)
    good, bad = contents["data_batch_1.bin"], bytes(len(contents["data_batch_1.bin"]))
    folder = fake_cifar.write(cifar.cifar10_folder(), contents | {"data_batch_1.bin": bad})
    line = shell.refused(words, *([tmp_path / "out"] if words.endswith("--out") else []))
    sums = f"md5 {fake_cifar.md5(good)} expected, {fake_cifar.md5(bad)} found"
    assert line.startswith(f"pocketrcnn: {folder / 'data_batch_1.bin'} is damaged ({sums}), and another copy was not")
    assert line.endswith("name it, `pocketrcnn download cifar10 --from FILE`")


def test_truncated_data_show_file_and_both_sizes(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache")
    short = contents | {"data_batch_1.bin": contents["data_batch_1.bin"][:-100]}
    fake_cifar.write(cifar.cifar10_folder(), short)
    line = shell.refused("scenes", tmp_path / "scenes")
    size = len(contents["data_batch_1.bin"])
    assert "data_batch_1.bin" in line
    assert f"{size:,}" in line or str(size) in line
    assert f"{size - 100:,}" in line or str(size - 100) in line


def test_an_archive_that_is_none(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "cifar.tar.gz").write_bytes(b"not an archive")
    assert "cifar.tar.gz" in shell.refused("download cifar10 --from", tmp_path / "cifar.tar.gz")
    archive = bytearray(lzma.compress(random.Random(0).randbytes(100_000)))
    archive[40_000:40_050] = bytes(50)
    (tmp_path / "cifar.tar.xz").write_bytes(archive)
    assert "cifar.tar.xz cannot be read (" in shell.refused("download cifar10 --from", tmp_path / "cifar.tar.xz")
    assert "nowhere.tar.gz cannot be read" in shell.refused("download cifar10 --from", tmp_path / "nowhere.tar.gz")


def test_a_cache_that_another_program_is_writing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cifar.install(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(
        download.download_cifar10, "__kwdefaults__", {**download.download_cifar10.__kwdefaults__, "wait": 0.1}
    )
    cache.cache_root().mkdir(parents=True)
    with FileLock(cache.cache_root() / "cifar10.lock"):
        line = shell.refused("download cifar10")
    assert "is in use by another program after 0.1 s: wait for it, or set POCKETRCNN_DATA" in line


def test_a_folder_that_is_no_data(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    line = shell.refused("reproduce --only R1 --out", tmp_path / "out", "--data", tmp_path / "photos")
    assert "train.txt cannot be read (No such file or directory): name a folder in the course's layout" in line
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["thesis.tex", "runs.zip"])
def test_a_folder_with_something_else(shell: Shell, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    line = shell.refused(B2, tmp_path)
    assert line == f"pocketrcnn: --out {tmp_path} holds something else (`{name}`): choose an empty or a new folder"
    assert "is a file: choose a folder" in shell.refused(B2, tmp_path / name)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "precious")]


def test_a_run_folder_with_something_else(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "runs" / RUN).mkdir(parents=True)
    (tmp_path / "runs" / RUN / "notes.txt").write_text("precious")
    assert f"{RUN} holds something else than a run: choose another folder with --out" in shell.refused(B2, tmp_path)
    assert (tmp_path / "runs" / RUN / "notes.txt").read_text() == "precious"


def test_no_space_left_and_then_some(shell: Shell, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        line = shell.refused(B2, tmp_path)
    assert (
        "cannot be written (No space left on device): free some space, allow writing there, or choose another --out"
        in line
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing half-written"
    assert shell(B2, tmp_path).code == 0


@pytest.mark.parametrize(
    "words", ["train data --out {}/run", "train data --out {}/more/run", "export {run} --out {}/m.onnx"]
)
@pytest.mark.parametrize("place", ["notes.txt", "/proc", "/proc/nowhere"])
def test_impossible_places_are_refused_before_any_work(
    shell: Shell, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, words: str, place: str
) -> None:
    """Neither a file nor /proc takes a folder, not even from root. The data are not there: they are not looked at."""
    where = tmp_path / place  # "/proc" stays what it is
    (tmp_path / "notes.txt").write_text("precious")
    run = tiny_run(tmp_path_factory) if "{run}" in words else ""
    line = shell.refused(words.format(where, run=run))
    assert line.startswith(f"pocketrcnn: {where}")
    assert " cannot be written" in line
    assert line.endswith("with --out")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_is_tried_without_a_trace(shell: Shell, tmp_path: Path) -> None:
    assert "nowhere" in shell.refused("train", tmp_path / "nowhere", "--out", tmp_path / "deep" / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_that_cannot_be_written(
    shell: Shell, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = Path(shutil.copytree(tiny_run(tmp_path_factory), tmp_path / "run"))
    place = run / "evaluation-test.json"
    place.mkdir()
    line = shell.refused("eval", run, "--split", "test")
    assert line.startswith(f"pocketrcnn: {place} cannot be written (Is a directory): free some space, allow writing")
    assert not list(run.glob(".*"))


def test_a_run_that_cannot_be_written_to_is_not_evaluated_first(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def sealed(dir: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    run = tiny_run(tmp_path_factory)
    monkeypatch.setattr(files, "TemporaryFile", sealed)
    line = shell.refused("eval", run, "nowhere")  # the data are not there: they are not looked at
    remedy = "allow writing there, or copy the run to another place"
    assert line == f"pocketrcnn: {run} cannot be written to (Read-only file system): {remedy}"


def test_training_without_a_place_for_runs(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("precious")
    line = shell.refused("train nowhere")
    assert line == "pocketrcnn: runs cannot be written to (File exists): choose another folder with --out"
    assert (tmp_path / "runs").read_text() == "precious"


def test_a_run_that_cannot_be_locked(shell: Shell, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As in a folder that can only be read."""
    run = Path(shutil.copytree(tiny_run(tmp_path_factory), tmp_path / "run"))
    (run / ".lock").mkdir()
    assert f"{run / '.lock'} cannot be written (" in shell.refused("resume", run, "--iterations", "3")


def test_no_space_for_a_checkpoint(shell: Shell, tmp_path: Path) -> None:
    """What was written before the disk was full is kept."""
    calls, fsync = [], files.os.fsync

    def soon_full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 4:  # two files, each with its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", soon_full)
        line = shell.refused(f"{B2} {tmp_path} --checkpoint 0")
    assert "checkpoint.safetensors cannot be written (No space left on device): free some space" in line
    assert sorted(path.name for path in (tmp_path / "runs" / RUN).iterdir()) == ["config.yaml", "env.json"]
    assert shell(f"{B2} {tmp_path} --checkpoint 0").code == 0


def test_a_configuration_from_another_version(shell: Shell, stopped: Path) -> None:
    path = stopped / "runs" / RUN / "config.yaml"
    path.write_text(path.read_text().replace("schema: 2", "schema: 99"))
    line = shell.refused(B2, stopped)
    assert line == f"pocketrcnn: {path} was written by another version of pocketrcnn: use that version or a new folder"


def test_a_configuration_with_a_setting_that_is_unknown_here(shell: Shell, stopped: Path) -> None:
    path = stopped / "runs" / RUN / "config.yaml"
    path.write_text(path.read_text().replace("  iterations:", "  iteratoins:"))
    assert f"{path}, train has the unknown setting `iteratoins` (did you mean `iterations`?)" in shell.refused(
        B2, stopped
    )


def test_a_checkpoint_that_is_damaged(shell: Shell, stopped: Path) -> None:
    path = stopped / "runs" / RUN / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    remedy = "restore it from a copy, or delete it to start over"
    assert f"{path} is damaged (its checksum differs from its content): {remedy}" in shell.refused(B2, stopped)
    path.write_bytes(data[:1000])
    assert f"{path} is damaged or not one of pocketrcnn's files" in shell.refused(B2, stopped)
    path.unlink()
    assert shell(B2, stopped).code == 0, "the remedy works"


def test_a_checkpoint_that_belongs_to_another_network(shell: Shell, stopped: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 1)
        assert shell(B2.replace("B2", "B1"), other).code == 130
    mine = stopped / "runs" / RUN / "checkpoint.safetensors"
    mine.write_bytes((other / "runs" / RUN.replace("B2", "B1") / "checkpoint.safetensors").read_bytes())
    assert f"{mine} belongs to another network" in shell.refused(B2, stopped)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a finished call."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        few_evaluations(patch)
        short_sample(patch)
        assert main([*F3.split(), str(folder)]) == 0
    return folder


@pytest.mark.parametrize("name", ["metrics.json", "env.json", "log.jsonl", "weights.safetensors"])
def test_a_finished_run_with_a_damaged_file(shell: Shell, finished: Path, tmp_path: Path, name: str) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    path = out / "runs" / "F3-pocket-1-sample-seed0" / name
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    before = (out / "results.json").read_bytes()
    line = shell.refused(F3, out)
    assert f"{path} is damaged" in line
    assert (out / "results.json").read_bytes() == before
    path.unlink()
    if name != "metrics.json":  # the others come back with the whole run
        assert f"delete the folder {path.parent} and run again" in line
        shutil.rmtree(path.parent)
    assert shell(F3, out).code == 0, "the remedy works"


def test_a_finished_run_without_its_figures(shell: Shell, finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    path = out / "runs" / "F3-pocket-1-sample-seed0" / "metrics.json"
    path.write_text(json.dumps({"metrics": {}, "seconds": 1, "iterations": 1}))
    assert f"{path} is damaged (metrics are missing): delete the folder" in shell.refused(F3, out)


@pytest.mark.parametrize("words", ["reproduce --data ~nosuch/x", "reproduce --data sample --backgrounds ~nosuch/x"])
def test_the_home_of_nobody(shell: Shell, words: str) -> None:
    """It ended in a traceback."""
    assert "~nosuch/x" in shell.refused(words)


def test_a_cache_in_the_home_of_nobody(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POCKETRCNN_DATA", "~nosuch/x")
    assert "nowhere.tar.gz cannot be read" in shell.refused("download cifar10 --from nowhere.tar.gz")


def test_results_of_other_data_stay(shell: Shell, finished: Path, tmp_path: Path) -> None:
    """The sample never takes the place of CIFAR-10's results, nor they of the sample's; nothing is trained."""
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    line = shell.refused(F3.replace("--data sample", ""), out)
    wanted = "is of --data sample, now it is cifar10: choose another folder with --out"
    assert line == f"pocketrcnn: {out / 'results.json'} {wanted}"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_resumed_with_other_settings(shell: Shell, stopped: Path) -> None:
    line = shell.refused(B2.replace("--batch 4", "--batch 5"), stopped)
    assert "was started with train.batch = 4, now it is 5: use the same settings, or choose another folder" in line
    assert shell(B2, stopped).code == 0, "and with its settings it goes on"


def test_other_lengths_recipes_and_seeds_have_folders_of_their_own(shell: Shell, stopped: Path) -> None:
    assert shell(B2.replace("--iterations 4", "--iterations 1"), stopped).code == 0
    assert (stopped / "runs" / RUN / "checkpoint.safetensors").is_file()


def test_ctrl_c_during_the_last_evaluation_ends_the_call(shell: Shell, tmp_path: Path) -> None:
    """The run is finished first; the next one is not begun."""
    whole = fit.assess

    def interrupted(*given: Any, **named: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return whole(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "assess", interrupted)
        code, _, err = shell(B2.replace("B2", "B2,B3"), tmp_path)
    assert code == 130
    assert f"interrupted at the end of {RUN}, state saved" in err
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [RUN]
    assert (tmp_path / "runs" / RUN / "metrics.json").is_file()


def test_a_run_killed_before_its_first_iteration_goes_on(shell: Shell, tmp_path: Path) -> None:
    """kill -9 between its first two files, and in the middle of writing one."""
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "env.json").write_text('{"versions": {}, "hardware": {}}')
    (folder / ".config.yaml.123.part").write_text("schema:")
    (tmp_path / ".results.json.123.part").write_text("{")
    assert shell(B2, tmp_path).code == 0
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_stopped_run_goes_on(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
) -> None:
    short_sample(monkeypatch)
    words = f"reproduce --data sample --only R1 --iterations 5 --batch 4 --checkpoint 0 --out {tmp_path}"
    process = start(*words.split())
    assert process.stdout is not None
    assert process.stdout.readline().startswith("R1-pocket-5-sample-seed0  1/5")
    assert process.stdout.readline().startswith("R1-pocket-5-sample-seed0  2/5"), "the first state is saved by now"
    process.send_signal(number)
    ended, _, err = finish(process)
    assert ended == code
    if number != signal.SIGKILL:
        assert "Traceback" not in err
        assert err.strip().startswith("pocketrcnn: interrupted at iteration ")
        assert err.strip().endswith(", state saved; the same command goes on from here")
        assert err.strip().count("\n") == 0
    assert (tmp_path / "runs" / "R1-pocket-5-sample-seed0" / "checkpoint.safetensors").is_file()
    answer = Shell(capsys)(words)
    assert answer.code == 0
    assert "R1-pocket-5-sample-seed0: going on at iteration " in answer.out
    (record,) = json.loads((tmp_path / "results.json").read_text())["experiments"]
    assert record["curves"]["loss_objectness_test"]["x"] == [1, 2, 3, 4, 5]
