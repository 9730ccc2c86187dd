"""Text in the encodings that people have: recognised where bytes tell, and a note where they do not.

Covers `data/formats/notes.py`.
"""

from pathlib import Path

import datasets_on_disk as disk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.data.annotations import Annotations
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.data.formats.text import decoded, encoding_of, legacy

SIZE = (40, 30)
WORDS = {
    "gbk": ["苹果\n香蕉", "猫\n狗", "狗", "安全帽\n反光衣", "汽车\n行人\n自行车", "A类缺陷\nB类缺陷", "PCB板\nLED灯"],
    "big5": ["蘋果\n香蕉", "貓\n狗", "汽車\n行人\n腳踏車", "安全帽\n反光背心", "刮痕\n凹陷"],
    "shift_jis": ["りんご\nバナナ", "猫\n犬", "自動車\n歩行者", "傷\n汚れ\n欠け", "ネコ\nイヌ", "欠陥"],
    "euc_kr": ["사과\n바나나", "고양이\n개", "자동차\n보행자", "안전모\n조끼"],
    "cp1251": ["кошка\nсобака", "дом\nкот", "Пешеход"],
    "cp1252": ["Gerät\nTür", "café\nthé", "Fußgänger\nLöwe", "niño\nárbol", "Äpfel\nÖl", "Ål", "été", "it’s", "10°"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in WORDS.items() for text in texts])
def test_words_of_many_languages_are_read_in_what_their_windows_writes(encoding: str, text: str) -> None:
    assert decoded(text.encode(encoding)) == text
    assert decoded(text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["0 0.5 0.5 0.25 0.25\n", '{"images": [], "name": "é"}', "cat\nдом\n"])
def test_unicode_of_all_kinds(encoding: str, text: str) -> None:
    assert decoded(text.encode(encoding)) == text


def test_what_is_broken_in_utf_8_is_replaced() -> None:
    words = "кошка собака дом кот".encode()
    assert decoded(words + b" \xd0") == "кошка собака дом кот \ufffd"
    assert decoded(words + b" \xd0", whole=False) == "кошка собака дом кот ", "cut amid a character"


@given(st.binary(max_size=200))
def test_any_bytes_are_some_text(data: bytes) -> None:
    assert isinstance(decoded(data, whole=False), str)
    for text in (decoded(data), decoded(data, legacy(data))):
        text.encode()  # without half characters


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff\ufffd"), max_size=40))
def test_utf_8_is_never_taken_for_anything_else(text: str) -> None:
    assert encoding_of(text.encode()) == "utf-8"
    assert decoded(text.encode()) == text


def names_and_boxes(data: Annotations) -> dict[str, list[tuple[str, float]]]:
    return {one.path.name: [(obj.name, obj.box[0]) for obj in one.objects] for one in data.examples}


def translated(root: Path, encoding: str, head: str, cat: str = "猫", dog: str = "老虎") -> Path:
    """VOC with two images, whose XML files have names of a language, in an encoding, under a head."""
    disk.voc(root, {"图1.png": (SIZE, [("cat", (1, 1, 9, 9))]), "2.png": (SIZE, [("dog", (2, 1, 9, 9))])})
    for path in (root / "Annotations").iterdir():
        text = path.read_text(encoding="utf-8").replace(">cat<", f">{cat}<").replace(">dog<", f">{dog}<")
        path.write_bytes((head + text.replace("图1.png", "1.png")).encode(encoding))
    return root


@pytest.mark.parametrize(
    ("declared", "written", "cat", "dog"),
    [
        ("gb2312", "gbk", "猫", "老虎"),
        ("GB2312", "gb18030", "貓", "㐀"),
        ("GBK", "gbk", "猫", "老虎"),
        ("GB18030", "gb18030", "猫", "老虎"),
        ("Big5", "big5", "貓", "老虎"),
        ("Shift_JIS", "cp932", "ネコ", "①"),
        ("shift-jis", "cp932", "猫", "犬"),
        ("EUC-JP", "euc_jp", "ネコ", "犬"),
        ("EUC-KR", "cp949", "고양이", "똠"),
        ("ISO-8859-1", "latin-1", "Kätzchen", "Müll"),
        ("windows-1251", "cp1251", "кошка", "пёс"),
        ("UTF-16", "utf-16", "猫", "老虎"),
        ("utf-8", "utf-8-sig", "猫", "老虎"),
        ("utf-16", "utf-8", "猫", "老虎"),  # as .NET writes text that it held in UTF-16
    ],
)
def test_xml_is_read_in_the_encoding_that_it_declares(
    tmp_path: Path, declared: str, written: str, cat: str, dog: str
) -> None:
    data = read(translated(tmp_path, written, f'<?xml version="1.0" encoding="{declared}"?>', cat, dog))
    assert names_and_boxes(data) == {"图1.png": [(cat, 1)], "2.png": [(dog, 2)]}
    assert data.faults == ()


@pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="ANSI"?>'])
def test_xml_that_does_not_declare_what_it_is_in_is_noted(tmp_path: Path, head: str) -> None:
    """Alone, the cat would be `è` in UTF-8."""
    data = read(translated(tmp_path, "gbk", head))
    assert names_and_boxes(data) == {"图1.png": [("猫", 1)], "2.png": [("老虎", 2)]}
    (fault,) = data.faults
    assert (fault.kind, fault.drops) == ("encoding", False)
    first = Path("Annotations") / "2.xml"
    assert fault.reason == (
        f"2 files not in UTF-8: read as GBK, and names may be wrong; save it as UTF-8 (the first: {first})"
    )


def test_one_name_is_one_class_in_all_files(tmp_path: Path) -> None:
    """Alone, the first file is as likely Korean; with the others it is not."""
    disk.voc(tmp_path, {f"{i}.png": (SIZE, [("cat", (1, 1, 9, 9))]) for i in range(3)})
    for i, words in enumerate(["苹果大车", "苹果大车红绿", "苹果大车中心"]):
        path = tmp_path / "Annotations" / f"{i}.xml"
        path.write_bytes(path.read_text().replace(">cat<", f">苹果大车<!-- {words} --><").encode("gbk"))
    assert read(tmp_path).classes == ("苹果大车",)


def test_entities_are_not_followed(tmp_path: Path) -> None:
    """Neither files nor a billion laughs, in any encoding."""
    disk.voc(tmp_path, {"1.png": (SIZE, [("cat", (1, 1, 9, 9))]), "2.png": (SIZE, [("dog", (2, 1, 9, 9))])})
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    for stem, entities in (("1", '<!ENTITY secret SYSTEM "2.xml">'), ("2", f'<!ENTITY l0 "lol">{laughs}')):
        path = tmp_path / "Annotations" / f"{stem}.xml"
        inner = "&secret;" if stem == "1" else "&l9;"
        text = path.read_text().replace("<annotation>", f"<annotation><a>{inner}</a>")
        path.write_bytes(f'<?xml version="1.0" encoding="gbk"?><!DOCTYPE annotation [{entities}]>{text}'.encode("gbk"))
    data = read(tmp_path)
    assert data.examples == ()
    assert [fault.kind for fault in data.faults] == ["unreadable"] * 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "utf-32"])
def test_coco_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    disk.coco(tmp_path)
    path = tmp_path / "_annotations.coco.json"
    path.write_bytes(path.read_text().encode(encoding))
    report = inspect(read(tmp_path))
    assert (report.summary["images"], report.summary["objects"], report.faults) == (3, 3, ())


def test_coco_with_names_in_gbk(tmp_path: Path) -> None:
    """As Python writes it on a Chinese Windows: file names, too."""
    disk.coco(tmp_path, {"图片1.png": (SIZE, [("cat", (1, 1, 9, 9))])})
    path = tmp_path / "_annotations.coco.json"
    text = path.read_text().replace('"cat"', '"苹果"').replace("\\u56fe\\u7247", "图片")
    path.write_bytes(text.encode("gbk"))
    data = read(tmp_path)
    assert names_and_boxes(data) == {"图片1.png": [("苹果", 1)]}
    assert [fault.kind for fault in data.faults] == ["encoding"]
    assert data.examples[0].path.is_file()


@pytest.mark.parametrize("name", ["classes.txt", "data.yaml"])
@pytest.mark.parametrize(("encoding", "read_as"), [("gbk", "GBK"), ("utf-8", ""), ("utf-16", "")])
def test_class_names_of_yolo(tmp_path: Path, name: str, encoding: str, read_as: str) -> None:
    """As LabelImg writes them on a Chinese Windows."""
    disk.yolo(tmp_path)
    text = "垫片\n水杯\n" if name == "classes.txt" else "names: [垫片, 水杯]\n"
    (tmp_path / name).write_bytes(text.encode(encoding))
    data = read(tmp_path)
    assert data.classes == ("垫片", "水杯")
    assert [fault.reason for fault in data.faults] == (
        [f"1 file not in UTF-8: read as GBK, and names may be wrong; save it as UTF-8 (the first: {name})"]
        if read_as
        else []
    )


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_tables_as_excel_writes_them(tmp_path: Path, encoding: str) -> None:
    disk.picture(tmp_path / "a.png")
    text = "filename\tclass\txmin\tymin\txmax\tymax\r\na.png\tKäfer\t1\t2\t5\t7\r\n"
    (tmp_path / "boxes.csv").write_bytes(text.encode(encoding))
    data = read(tmp_path)
    assert names_and_boxes(data) == {"a.png": [("Käfer", 1)]}
    assert [fault.kind for fault in data.faults] == (["encoding"] if encoding == "cp1252" else [])
