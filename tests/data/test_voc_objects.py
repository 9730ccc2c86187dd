"""The box that can be had of an object in VOC's XML, and what its other fields mean."""

import math
from pathlib import Path

import datasets_on_disk as disk
import pytest

from pocketrcnn.data.annotations import Box, Object, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.overview import fields_in_words

SIZE = (40, 30)
BOX = "<bndbox><xmin>10</xmin><ymin>12</ymin><xmax>30</xmax><ymax>18</ymax></bndbox>"


def checked(root: Path, *objects: str) -> Report:
    """The report on one image of 40x30 with a cat, and after it objects with these fields."""
    disk.voc(root, {"a.png": (SIZE, [("cat", (1, 1, 5, 5))])})
    xml = root / "Annotations" / "a.xml"
    whole = "".join(f"<object><name>cat</name>{fields}</object>" for fields in objects)
    xml.write_text(xml.read_text().replace("</annotation>", f"{whole}</annotation>"))
    return inspect(read(root))


def added(report: Report) -> list[Object]:
    return list(report.clean.examples[0].objects[1:])


def notes(report: Report) -> dict[str, str]:
    assert not report.drops, report.faults
    return {fault.kind: fault.reason for fault in report.faults}


def rotated(angle: float) -> str:
    """A rectangle of roLabelImg around (20, 15), 20 wide and 6 high."""
    return f"<robndbox><cx>20</cx><cy>15</cy><w>20</w><h>6</h><angle>{angle}</angle></robndbox>"


@pytest.mark.parametrize(("angle", "box"), [(0, (10, 12, 30, 18)), (math.pi / 2, (17, 5, 23, 25))])
def test_rotated_rectangles_of_rolabelimg(tmp_path: Path, angle: float, box: Box) -> None:
    report = checked(tmp_path, f"<type>robndbox</type>{rotated(angle)}")
    assert added(report)[0].box == pytest.approx(box)
    assert notes(report) == {
        "rotated": "1 object with a rotation: the upright box around the rotated one is used "
        f"(the first: {Path('Annotations') / 'a.xml'}, object 2)"
    }


def test_angles_are_in_degrees_where_one_is_too_large_for_radians(tmp_path: Path) -> None:
    report = checked(tmp_path, rotated(1), rotated(90), BOX)
    height = 20 * math.sin(math.radians(1)) + 6 * math.cos(math.radians(1))
    assert added(report)[0].box[3] - added(report)[0].box[1] == pytest.approx(height)
    assert added(report)[1].box == pytest.approx((17, 5, 23, 25))
    assert added(report)[2].box == (10, 12, 30, 18)


@pytest.mark.parametrize(
    "fields",
    [
        "<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes>",
        "<rotation>-90</rotation>",
    ],
)
def test_rotations_of_cvat(tmp_path: Path, fields: str) -> None:
    report = checked(tmp_path, BOX + fields, BOX)
    assert [obj.box for obj in added(report)] == [pytest.approx((17, 5, 23, 25)), (10, 12, 30, 18)]
    assert list(notes(report)) == ["rotated"]


@pytest.mark.parametrize(
    "outline",
    [
        "<polygon><pt><x>10</x><y>12</y></pt><pt><x>30</x><y>14</y></pt><pt><x>11</x><y>18</y></pt></polygon>",
        "<polygon><x1>10</x1><y1>12</y1><x2>30</x2><y2>14</y2><x3>11</x3><y3>18</y3></polygon>",
        "<robndbox><x_left_top>10</x_left_top><y_left_top>12</y_left_top>"
        "<x_right_bottom>30</x_right_bottom><y_right_bottom>18</y_right_bottom></robndbox>",
    ],
)
def test_the_box_around_an_outline(tmp_path: Path, outline: str) -> None:
    report = checked(tmp_path, outline)
    assert [obj.box for obj in added(report)] == [(10, 12, 30, 18)]
    assert list(notes(report)) == ["outlined"]


@pytest.mark.parametrize(
    "fields",
    [
        "",
        BOX.replace("30", "wide"),
        "<polygon></polygon>",
        "<polygon><x1>1</x1><y1>2</y1><x2>3</x2></polygon>",
        "<polygon><x1>1</x1><y1>two</y1></polygon>",
        "<part><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part>",
    ],
)
def test_objects_without_a_box_are_named(tmp_path: Path, fields: str) -> None:
    report = checked(tmp_path, fields, BOX)
    (fault,) = report.faults
    assert (fault.kind, fault.where, fault.drops) == ("unreadable", "object 2", True)
    assert fault.reason == "has no bndbox of four numbers (xmin, ymin, xmax, ymax), and no outline"
    assert [obj.box for obj in added(report)] == [(10, 12, 30, 18)]


def test_decimal_commas(tmp_path: Path) -> None:
    report = checked(tmp_path, BOX.replace("10<", "10,5<").replace("18<", "18,25<"))
    assert added(report)[0].box == (10.5, 12, 30, 18.25)
    first = Path("Annotations") / "a.xml"
    assert notes(report)["decimal-comma"] == (
        f"1 object with decimal commas: 23,5 is read as 23.5 (the first: {first}, object 2)"
    )


@pytest.mark.parametrize(("word", "kind"), [("difficult", "difficult"), ("ignore", "ignored"), ("occluded", "")])
def test_what_is_to_be_ignored_is_a_crowd(tmp_path: Path, word: str, kind: str) -> None:
    report = checked(tmp_path, f"{BOX}<{word}>1</{word}>")
    assert [obj.crowd for obj in added(report)] == [bool(kind)]
    assert list(notes(report)) == ([kind] if kind else [])
    assert fields_in_words(report.summary["not_carried_over"]) == ("" if kind else f"{word} of 1 object")


def test_scores_are_told(tmp_path: Path) -> None:
    report = checked(tmp_path, f"{BOX}<confidence>0.4</confidence>")
    assert "(the smallest: 0.4)" in notes(report)["scored"]
    assert len(added(report)) == 1


def test_attributes_are_counted_by_their_names(tmp_path: Path) -> None:
    """CVAT writes those that say nothing, too."""
    words = {"rotation": "0.0", "occluded": "False", "colour": "red"}
    inner = "".join(f"<attribute><name>{name}</name><value>{word}</value></attribute>" for name, word in words.items())
    report = checked(tmp_path, f"{BOX}<truncated>1</truncated><attributes>{inner}</attributes>")
    assert fields_in_words(report.summary["not_carried_over"]) == "truncated of 1 object, colour of 1 object"
    assert notes(report) == {}
