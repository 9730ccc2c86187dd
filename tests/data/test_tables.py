"""Tables as spreadsheets, pandas and Kaggle write them.

Covers `data/formats/table_columns.py`.
"""

import csv
import io
import tempfile
from pathlib import Path

import datasets_on_disk as disk
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shell import Shell

from pocketrcnn.data.annotations import Annotations, Box, Report
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError

SIZE = (40, 30)


def table(root: Path, text: str, name: str = "boxes.csv", images: tuple[str, ...] = ("a.png", "b.png")) -> Path:
    """Images of 40x30 and a table of these lines."""
    for image in images:
        disk.picture(root / image, SIZE)
    (root / name).write_text(text, encoding="utf-8")
    return root


def found(data: Annotations) -> dict[str, list[tuple[str, Box]]]:
    return {one.path.name: [(obj.name, obj.box) for obj in one.objects] for one in data.examples}


def notes(report: Report) -> dict[str, str]:
    assert not report.drops, report.faults
    return {fault.kind: fault.reason for fault in report.faults}


NUMBERS = st.integers(-50, 500) | st.floats(-50, 500).map(lambda value: round(value, 3))
BOXES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).filter(lambda box: len(set(box)) > 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(BOXES, st.sampled_from(["cat", "ein Hund", "猫, rot", 'a "b"', "7"])), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["x1,y1,x2,y2", "XMin,YMin,XMax,YMax", "x,y,w,h", "x_center,y_center,width,height", "bbox"]),
    st.booleans(),
    st.booleans(),
)
def test_boxes_come_back_from_any_table(
    objects: list[tuple[Box, str]], separator: str, box: str, classes: bool, commas: bool
) -> None:
    """With each digit, each class, and whether a class is there or not."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["image", *box.split(","), *(["label"] if classes else [])])
    point = "," if commas and separator != "," else "."
    for numbers, name in objects:
        cells = [str(list(numbers))] if box == "bbox" else [str(number).replace(".", point) for number in numbers]
        writer.writerow(["a.png", *cells, *([name] if classes else [])])
    with tempfile.TemporaryDirectory() as folder:
        data = read(table(Path(folder), text.getvalue()))
    (example,) = data.examples
    assert [obj.written.numbers for obj in example.objects if obj.written] == [numbers for numbers, _ in objects]
    assert [obj.name for obj in example.objects] == [name if classes else "object" for _, name in objects]
    assert not any(fault.drops for fault in data.faults if fault.kind != "missing")


def test_without_a_class_column_there_is_one_class(tmp_path: Path) -> None:
    """As in Kaggle's car detection."""
    table(tmp_path, "image,xmin,ymin,xmax,ymax\na.png,1,2,11,12\na.png,20,2,31.5,12\nb.png,1,2,5,9\n")
    report = inspect(read(tmp_path))
    assert found(report.clean) == {
        "a.png": [("object", (1, 2, 11, 12)), ("object", (20, 2, 31.5, 12))],
        "b.png": [("object", (1, 2, 5, 9))],
    }
    assert notes(report)["no-class"] == (
        "1 table without a column for the class (columns: image, xmin, ymin, xmax, ymax): all objects are called "
        "`object` (the first: boxes.csv)"
    )


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas(tmp_path: Path, separator: str) -> None:
    rows = [["\ufefffile", "class", "x1", "y1", "x2", "y2"], ["a.png", "Katze, rot", "1,5", "2,25", "11", "12,0"]]
    rows += [["b.png", "Hund", "1", "2", "11", ",5"]]
    data = read(table(tmp_path, "\n".join(separator.join(row) for row in rows)))
    assert found(data) == {"a.png": [("Katze, rot", (1.5, 2.25, 11, 12))], "b.png": [("Hund", (1, 2, 11, 0.5))]}
    assert [fault.reason for fault in data.faults] == [
        "2 objects with decimal commas: 23,5 is read as 23.5 (the first: boxes.csv, line 2)"
    ]


def test_commas_in_a_table_with_commas_are_no_decimal_ones(tmp_path: Path) -> None:
    """`"1,234"` may be a thousand or one."""
    data = read(table(tmp_path, 'file,class,x1,y1,x2,y2\na.png,cat,"1,234",2,3,4\n'))
    (fault,) = data.faults
    assert (fault.kind, fault.where, fault.drops) == ("unreadable", "line 2", True)


def test_a_separator_that_excel_names(tmp_path: Path) -> None:
    data = read(table(tmp_path, "sep=;\nfile;class;x1;y1;x2;y2\na.png;cat;1;2;11;12\n"))
    assert found(data) == {"a.png": [("cat", (1, 2, 11, 12))]}
    assert data.examples[0].objects[0].where == "line 3"


@pytest.mark.parametrize("where", ["one table", "two tables"])
def test_class_numbers_with_and_without_a_point_are_one(tmp_path: Path, where: str) -> None:
    header, first, second = "file,label,x1,y1,x2,y2\n", "a.png,1,1,2,11,12\na.png,0,2,2,9,9\n", "b.png,1.0,1,2,11,12\n"
    table(tmp_path, header + first + (second if where == "one table" else ""))
    if where == "two tables":
        table(tmp_path, header + second, "more.csv")
    report = inspect(read(tmp_path))
    assert report.clean.classes == ("0", "1")
    assert [obj.name for one in report.clean.examples for obj in one.objects] == ["1", "0", "1"]
    assert notes(report)["same-name"] == "has class numbers with and without a point: `1.0` is `1`"


@pytest.mark.parametrize("names", [("0.0", "1.0"), ("v1", "1.0"), ("1", "2.0"), ("1", "1.5")])
def test_numbers_that_are_no_other_spelling_stay(tmp_path: Path, names: tuple[str, str]) -> None:
    """Names in runs that were trained before are theirs."""
    rows = "".join(f"a.png,{name},{i},2,11,12\n" for i, name in enumerate(names))
    data = read(table(tmp_path, "file,label,x1,y1,x2,y2\n" + rows))
    assert set(data.classes) == set(names)
    assert data.faults == ()


@pytest.mark.parametrize("nothing", ["0,0,0,0", "0.0,0.0,0.0,0.0", "-1,-1,-1,-1", ",,,", "nan,NaN,nan,nan", "None,,,"])
@pytest.mark.parametrize("label", ["Tree", "No finding"])
def test_rows_that_say_that_there_is_nothing(tmp_path: Path, nothing: str, label: str) -> None:
    """As DeepForest and others write images without objects; also once for each annotator."""
    rows = f"a.png,{nothing},{label}\n" * 2 + "b.png,1,2,9,9,Tree\n"
    report = inspect(read(table(tmp_path, f"image_path,xmin,ymin,xmax,ymax,label\n{rows}")))
    assert found(report.clean) == {"a.png": [], "b.png": [("Tree", (1, 2, 9, 9))]}
    assert notes(report) == {
        "empty-row": "1 image whose rows have no box (0, 0, 0, 0 or empty): read as images without objects "
        "(the first: boxes.csv, line 2)"
    }


def test_a_row_of_zeros_beside_a_box_is_a_fault(tmp_path: Path) -> None:
    rows = "image_path,xmin,ymin,xmax,ymax,label\na.png,0,0,0,0,Tree\na.png,1,2,9,9,Tree\na.png,,,,,Tree\na.png,,,,,\n"
    report = inspect(read(table(tmp_path, rows)))
    assert [(fault.kind, fault.where) for fault in report.faults if fault.drops] == [
        ("unreadable", "line 4"),
        ("zero-size", "a.png, line 2"),
    ]
    assert found(report.clean) == {"a.png": [("Tree", (1, 2, 9, 9))]}


@pytest.mark.parametrize(
    "cell", ['"[1, 2, 10, 20]"', '"(1.0, 2.0, 10.0, 20.0)"', "1 2 10 20", '"1,2,10,20"', '"[1;2;10;20]"']
)
def test_all_numbers_in_one_cell(tmp_path: Path, cell: str) -> None:
    """As in Kaggle's wheat: x, y, width, height, and no class."""
    data = read(table(tmp_path, f"image_id,width,height,bbox,source\na,40,30,{cell},usask_1\nb,40,30,,usask_1\n"))
    assert found(data) == {"a.png": [("object", (1, 2, 11, 22))], "b.png": []}
    assert data.examples[0].size == SIZE
    assert data.unread == (("source", "object", 2),)


def test_several_boxes_in_one_cell(tmp_path: Path) -> None:
    data = read(table(tmp_path, "image,BoxesString\na.png,1 2 10 20;20 2 10 9\nb.png,no_box\n"))
    assert found(data) == {"a.png": [("object", (1, 2, 11, 22)), ("object", (20, 2, 30, 11))], "b.png": []}
    assert [obj.where for obj in data.examples[0].objects] == ["line 2, box 1", "line 2, box 2"]


@pytest.mark.parametrize("cell", ['"[1, 2, 3]"', "wide", '"[1, 2, x, 4]"', "\"{'x1': 1}\"", '"1,2,3,4,5"'])
def test_cells_that_are_no_box(tmp_path: Path, cell: str) -> None:
    (fault,) = (fault for fault in read(table(tmp_path, f"image,bbox\na.png,{cell}\n")).faults if fault.drops)
    assert (fault.kind, fault.where) == ("unreadable", "line 2")
    assert fault.reason.endswith("not four numbers")


@pytest.mark.parametrize(
    ("header", "row", "box"),
    [
        ("Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId", "a.png;40;30;1;2;11;22;7", (1, 2, 11, 22)),
        ("image,class_id,x0,y0,x1,y1", "a.png,7,1,2,11,22", (1, 2, 11, 22)),
        ("image,label,x_center,y_center,width,height", "a.png,7,6,12,10,20", (1, 2, 11, 22)),
        ("img_path,species,min_x,min_y,max_x,max_y", "a.png,7,1,2,11,22", (1, 2, 11, 22)),
        (
            "image,category_id,bbox_x,bbox_y,bbox_w,bbox_h,width,height",
            "a.png,7,1,2,10,20,40,30",
            (1, 2, 11, 22),
        ),
        ("image,class_id,class_name,x1,y1,x2,y2", "a.png,0,7,1,2,11,22", (1, 2, 11, 22)),
    ],
)
def test_more_headers_that_people_use(tmp_path: Path, header: str, row: str, box: Box) -> None:
    data = read(table(tmp_path, f"{header}\n{row}\n"))
    assert found(data) == {"a.png": [("7", box)]}
    assert data.faults == ()


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ("./a.png,1,2,11,22,cat\nb.png,,,,,\n", "image, x1, y1, x2, y2, class"),
        ("a.png,40,30,cat,1,2,11,22\nb.png,40,30,,,,,\n", "image, width, height, class, x1, y1, x2, y2"),
    ],
)
def test_tables_without_header(tmp_path: Path, rows: str, columns: str) -> None:
    """Of keras-retinanet and of TensorFlow."""
    data = read(table(tmp_path, rows))
    assert found(data) == {"a.png": [("cat", (1, 2, 11, 22))], "b.png": []}
    assert data.examples[0].objects[0].where == "line 1"
    assert [fault.reason for fault in data.faults] == [
        f"1 table without header: the columns are taken for {columns} (the first: boxes.csv)"
    ]


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("photo_of,x1,y1,x2,y2", "`photo_of`, `x1`, `y1`, `x2`, `y2`, and none for the image (image)"),
        ("image,class,left", "`image`, `class`, `left`, and none for the box (x1, y1, x2, y2 or x, y, w, h or bbox)"),
        ("one,two", "`one`, `two`, and none for the image (image) and the box (x1, y1, x2, y2 or x, y, w, h or bbox)"),
    ],
)
def test_a_header_that_is_not_understood_is_named(tmp_path: Path, header: str, lacking: str) -> None:
    with pytest.raises(UserError) as error:
        read(table(tmp_path, f"{header}\n1,2,3,4,5\n"))
    assert f"boxes.csv has the columns {lacking}): rename its columns, or name another folder" in str(error.value)


@pytest.mark.parametrize("column", ["class", "remark"])
def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path: Path, column: str) -> None:
    rows = ["a.png,cat,1,2,11,22,x", "a.png,cat,5,2,11,22,x", 'b.png,"a, cat",1,2,11,22,"of\ntwo lines"']
    rows[0] = rows[0].replace("cat" if column == "class" else "x", '"cat')
    data = read(table(tmp_path, "\n".join(["\nfile,class,x1,y1,x2,y2,remark", *rows])))
    assert {name: [box for _, box in objects] for name, objects in found(data).items()} == {
        "a.png": [(1, 2, 11, 22), (5, 2, 11, 22)],
        "b.png": [(1, 2, 11, 22)],
    }
    assert [obj.where for one in data.examples for obj in one.objects] == ["line 3", "line 4", "line 6"]


def test_a_box_without_class_is_named(tmp_path: Path) -> None:
    (fault,) = read(table(tmp_path, "file,class,x1,y1,x2,y2\na.png,,1,2,11,22\n")).faults
    assert (fault.where, fault.reason, fault.drops) == ("line 2", "its class is empty", True)


@pytest.mark.parametrize(("column", "kind"), [("difficult", "difficult"), ("IsGroupOf", "ignored"), ("occluded", "")])
def test_what_is_to_be_ignored_is_a_crowd(tmp_path: Path, column: str, kind: str) -> None:
    report = inspect(read(table(tmp_path, f"file,class,x1,y1,x2,y2,{column}\na.png,cat,1,2,11,22,1\n")))
    assert [obj.crowd for obj in report.clean.examples[0].objects] == [bool(kind)]
    assert [fault.kind for fault in report.faults if fault.kind == kind] == ([kind] if kind else [])
    assert [field["field"] for field in report.summary["not_carried_over"]] == ([] if kind else [column])


def test_scores_are_told(tmp_path: Path, shell: Shell) -> None:
    table(tmp_path, "file,class,x1,y1,x2,y2,Confidence\na.png,cat,1,2,11,22,0.25\nb.png,cat,1,2,11,22,0.5\n")
    assert "2 objects with a score, as predictions have one (the smallest: 0.25)" in shell("check", tmp_path).out
