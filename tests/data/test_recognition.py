"""What a folder is: each rule alone, and the sentence where no format is read.

Covers `data/formats/recognition.py`, `data/formats/unread_formats.py`.
"""

from pathlib import Path

import datasets_on_disk as disk
import pytest
from shell import Shell

from pocketrcnn.data.formats import FORMATS, LOOKED_FOR, read, read_only, unread_formats
from pocketrcnn.data.formats.recognition import Rule, evidence
from pocketrcnn.errors import UserError

FILES = {  # of formats that are recognised and not read: name and content
    "CVAT for video": ("annotations.xml", '<?xml version="1.0"?>\n<annotations><version>1.1</version><track id="0">'),
    "COCO panoptic": ("panoptic.json", '{"images": [], "annotations": [{"segments_info": []}], "categories": []}'),
    "ASAP": ("a.xml", "<ASAP_Annotations><Annotations>"),
    "Supervisely": ("ann/a.png.json", '{"size": {}, "objects": [{"classTitle": "cat", "geometryType": "rectangle"}]}'),
    "V7 Darwin": ("a.json", '{"version": "2.0", "item": {"name": "a.png", "slots": []}, "annotations": []}'),
    "VGG Image Annotator 3": ("via.json", '{"project": {"pid": "1"}, "metadata": {"a": {"vid": "1", "xy": []}}}'),
    "TensorFlow Object Detection": ("label_map.pbtxt", "item {\n  id: 1\n  name: 'cat'\n}"),
    "TFRecord": ("train.tfrecord", "\x00\x01"),
    "QuPath or other GeoJSON": ("cells.geojson", '{"type": "FeatureCollection", "features": []}'),
    "Labelbox": ("export.ndjson", '{"data_row": {"id": "c"}, "projects": {}}'),
    "Amazon SageMaker Ground Truth": ("output.manifest", '{"source-ref": "s3://bucket/a.png"}'),
    "Vertex AI": ("data.jsonl", '{"imageGcsUri": "gs://bucket/a.png"}'),
    "AutoML Vision": ("data.csv", "TRAIN,gs://bucket/a.png,cat,0.1,0.1,,,0.2,0.2,,\n"),
    "WIDER FACE": ("wider_face_train_bbx_gt.txt", "0--Parade/a.jpg\n1\n449 330 122 149 0 0 0 0 0 0\n"),
    "MOT": ("gt/gt.txt", "1,1,912,484,97,109,0,7,1\n"),
    "VisDrone": ("annotations/a.txt", "684,8,273,116,0,0,0,0\n406,119,265,70,0,0,0,0\n"),
    "Cellpose or NumPy": ("a_seg.npy", "\x93NUMPY"),
    "a Python pickle": ("boxes.pkl", "\x80\x04"),
    "MATLAB": ("digitStruct.mat", "MATLAB 5.0"),
    "HDF5": ("boxes.h5", "\x89HDF"),
    "Parquet or Arrow": ("train-00000-of-00001.parquet", "PAR1"),
    "ImageJ ROI": ("0001.roi", "Iout"),
    "a packed archive": ("export.tar.gz", "\x1f"),
    "a video": ("clip.mp4", "ftyp"),
}


def written(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_format_that_is_known_and_not_read_is_tried() -> None:
    assert set(FILES) == {form.title for form in unread_formats.FORMATS}


@pytest.mark.parametrize("title", FILES)
def test_a_format_that_is_not_read_is_named_with_a_way_on(tmp_path: Path, title: str) -> None:
    """The folder, and the file itself."""
    disk.picture(tmp_path / "a.png")
    file = written(tmp_path, *FILES[title])
    remedy = next(form.remedy for form in unread_formats.FORMATS if form.title == title)
    for path in (tmp_path, file):
        with pytest.raises(UserError) as error:
            read(path)
        assert f"looks like {title} ({file.name}: " in str(error.value)
        assert str(error.value).endswith(remedy)
        assert str(error.value).count("\n") == 0


@pytest.mark.parametrize("form", unread_formats.FORMATS, ids=lambda form: form.title)
def test_a_rule_fits_its_own_format_alone(tmp_path: Path, form: unread_formats.Unread) -> None:
    rules = (*read_only.RULES, *unread_formats.RULES)
    (found,) = evidence([written(tmp_path, *FILES[form.title])], rules)
    assert found.rule is form.rule


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".txt", ".xml", ".csv"])
@pytest.mark.parametrize("text", ["", "{}", "[]", "\ufeff", "null", "a\n", "0 0.5 0.5 0.1 0.1\n", "<a/>", "\x00" * 100])
def test_nothing_is_seen_in_what_says_nothing(tmp_path: Path, ending: str, text: str) -> None:
    rules = (*read_only.RULES, *unread_formats.RULES)
    assert evidence([written(tmp_path, f"a{ending}", text)], rules) == []


def test_evidence_counts_files_and_says_what_was_seen(tmp_path: Path) -> None:
    rules = [Rule("b", (".txt",), lambda _, start: "b" in start, "a b"), Rule("a", (".txt",), lambda *_: True, "text")]
    files = [written(tmp_path, f"{i}.TXT", text) for i, text in enumerate(("b", "c", "ab"))]
    first, second = evidence([*files, tmp_path / "no.png"], rules)
    assert (first.rule.format, first.files) == ("b", (files[0], files[2])), "a file counts for the first rule"
    assert (str(first), str(second)) == ("0.TXT and 1 more: a b", "1.TXT: text")


def test_the_format_of_most_files_is_the_guess(tmp_path: Path, shell: Shell) -> None:
    for name in ("clip.mp4", "ann/a.png.json", "ann/b.png.json"):
        written(tmp_path, name, '[{"classTitle": "cat"}]')
    assert "Supervisely (a.png.json and 1 more: `classTitle`)" in shell.refused("check", tmp_path)


def test_images_alone(tmp_path: Path, shell: Shell) -> None:
    disk.picture(tmp_path / "pictures" / "a.png")
    assert "has images and no annotations" in shell.refused("check", tmp_path)
    for name in ("cats/a.png", "dogs/b.png"):
        disk.picture(tmp_path / "train" / name)
    assert "sorted into folders (cats, dogs, pictures) and no boxes" in shell.refused("check", tmp_path)
    disk.picture(tmp_path / "SegmentationClass" / "a.png")
    assert "has the masks of Pascal VOC (SegmentationClass) and no boxes" in shell.refused("check", tmp_path)
    (tmp_path / "SegmentationClass" / "a.png").unlink()
    written(tmp_path, "a.pdf", "")
    assert LOOKED_FOR in shell.refused("check", tmp_path)


def test_what_is_read_comes_before_what_is_not(tmp_path: Path) -> None:
    disk.coco(tmp_path)
    written(tmp_path, "clip.mp4", "")
    assert read(tmp_path).format == "coco"
    assert list(FORMATS)[:4] == ["coco", "voc", "yolo", "csv"]


def test_the_page_of_data_has_every_format() -> None:
    """Those that are read under their name, the others with what to do."""
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8").lower()
    assert [form.title for form in read_only.READERS.values() if form.title.lower() not in page] == []
    rows = [f"| {form.title} | {form.remedy} |".lower() for form in unread_formats.FORMATS]
    assert [row for row in rows if row not in page] == []
