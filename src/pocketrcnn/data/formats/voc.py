"""Pascal VOC: one XML an image, with or without the folders Annotations, JPEGImages and ImageSets. No torch here.

Images are found by the name of the XML, else by `<filename>`, which copies often keep from another image; `<folder>`
and `<path>` are those of the author's machine and mean nothing. `ImageSets/Main/{train,val,trainval,test}.txt` give the
splits, else the names of folders. Images without XML are in the data only where such a list names them. A `classes.txt`
gives the order of the classes, else the alphabet does. `voc_objects` reads the objects.

`origin` 0: corners as they are, which is how programs of today write them. 1: VOC's convention, where pixels count from
1 and the last one belongs to the box: 1 is subtracted from xmin and ymin.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ...errors import UserError, shown
from ..annotations import Annotations, Example, Fault
from ..listing import is_image_name
from .finding import Images, Wanted, key, plain, used_classes
from .reading import Reading
from .split_words import split_of
from .text import read_start
from .voc_objects import CORNERS, Rotated, example, with_degrees
from .writing import copy_image, image_names, number, require_no_pages, size_of, write_text

CLASSES = "classes.txt"
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # https://www.w3.org/TR/xml/#charsets


def sources(reading: Reading) -> list[Path]:
    """The annotation files among the candidates."""
    return [file for file in reading.candidates if file.suffix.lower() == ".xml" and looks_like_voc(file)]


def looks_like_voc(file: Path) -> bool:
    """Whether an XML file is about an image, or is where such a file would be."""
    named = re.search(r"<annotation[\s/>]", read_start(file))  # CVAT: `<annotations>`
    return bool(named) or file.parent.name == "Annotations"


def read(reading: Reading, sources: list[Path]) -> Annotations:
    """The images and objects of all XML files, as they are."""
    images = reading.images()
    stems = {(source.parent, key(source.stem)) for source in sources}
    rotated: Rotated = {}
    read_all = (example(source, reading, rotated) for source in sources)
    given = reading.in_splits(with_degrees([one for one in read_all if one], rotated))
    examples = images.placed(given, lambda one: wanted(one, images, stems))
    reading.faults += other_names(given, examples, images)
    for lists in sorted({file.parent for file in images.files if is_list(file)}):
        examples = with_lists(examples, lists, images, reading)
    listed = reading.root / CLASSES
    names = map(str.strip, reading.text(listed).splitlines()) if listed in reading.files else used_classes(examples)
    return reading.annotations("voc", dict.fromkeys(filter(None, names)), examples, images)


def wanted(one: Example, images: Images, stems: Collection[tuple[Path, str]]) -> Wanted:
    """The image of an XML file: the one that is called as it is, else the one that it names.

    `stems`: folder and name of all XML files. An image that has an XML of its name is not that of another one.
    """
    assert one.source
    stem, named, folders = one.source.stem, one.path.as_posix(), folders_of(one.source, images.root)
    if key(one.path.stem) == key(stem):
        return Wanted((named, stem), folders, one.split)
    same_stem = [path.name for path in images.known.get(key(stem), ()) if path.parent in folders]
    others = [] if (one.source.parent, key(one.path.stem)) in stems else [named]
    return Wanted((f"{stem}{one.path.suffix}", *same_stem, *others, stem), folders, one.split)


def folders_of(source: Path, root: Path) -> tuple[Path, ...]:
    """Where the image of an XML file may be: beside it, and, below Annotations, in the same folder of JPEGImages."""
    for above in source.parents:
        if above.name == "Annotations" and root in above.parents:
            home = above.parent / "JPEGImages"
            return tuple(dict.fromkeys((home / source.parent.relative_to(above), home, source.parent)))
    return (source.parent,)


def other_names(given: list[Example], placed: list[Example], images: Images) -> Iterator[Fault]:
    """Warnings about XML files that name another image than the one that is called as they are."""
    for before, after in zip(given, placed, strict=True):
        name = before.path.name
        if before.source and key(before.path.stem) != key(after.path.stem) and key(name) in images.known:
            reason = (
                f"its filename says {shown(name)}; it is used for {after.path.name}, which has the name of the XML file"
            )
            yield Fault("other-name", before.source, "", reason, drops=False)


def is_list(file: Path) -> bool:
    """Whether a file of ImageSets lists the images of a split. `cat_train.txt` is about one class: it does not."""
    known = file.stem.lower() == "trainval" or bool(split_of(file.stem))
    return file.suffix.lower() == ".txt" and file.parent.name == "Main" and known and "_" not in file.stem


def with_lists(examples: list[Example], lists: Path, images: Images, reading: Reading) -> list[Example]:
    """The examples beside a folder of lists as these name them, with their splits; all others as they are.

    - A name stands for the example of `by_name`, else for an image in JPEGImages without objects.
    - An image that several splits name is in each; `check` says so.
    - `trainval` names training images, as far as no other list names them.
    - Examples that no list names are skipped, with a fault.
    """
    home, there = lists.parent.parent, sorted(file for file in images.files if file.parent == lists and is_list(file))
    beside = [one for one in examples if one.source and home in one.source.parents]
    called = by_name(beside, home)
    names = [(file, name) for file in there for name in listed(reading.text(file), called, images)]
    named = {name: called.get(name) or called.get(key(name)) for _, name in names}
    marks = {name: one.source if one else key(name) for name, one in named.items()}
    in_splits = {marks[name] for file, name in names if split_of(file.stem)}
    names.sort(key=lambda pair: not split_of(pair[0].stem))
    made = [one for one in examples if one.source and home not in one.source.parents]
    for file, name in names:
        split = split_of(file.stem)
        if split or marks[name] not in in_splits:
            one = named[name] or Example(images.find([Wanted((plain(name),), (home / "JPEGImages",))])[0], source=file)
            made.append(replace(one, split=split or "train"))
    every = set(marks.values())
    if left := sorted(one.path.name for one in beside if one.source not in every):
        reason = f"lists {len(every)} images; {len(left)} others with XML are skipped (the first: {left[0]})"
        reading.fault("unlisted", lists, "", reason)
    return made


def by_name(examples: list[Example], home: Path) -> dict[str, Example]:
    """Examples by what lists may call them: the path of their XML below Annotations, without suffix, as it is or in
    other letters, or its last part alone. What several may be called is the name of none."""
    exact: dict[str, Example] = {}
    paths: defaultdict[str, list[Example]] = defaultdict(list)
    stems: defaultdict[str, list[Example]] = defaultdict(list)
    for one in examples:
        assert one.source
        base = home / "Annotations" if home / "Annotations" in one.source.parents else home
        name = one.source.relative_to(base).with_suffix("").as_posix()
        exact[name] = one
        paths[key(name)].append(one)
        stems[key(one.source.stem)].append(one)
    alone = {name: group[0] for names in (stems, paths) for name, group in names.items() if len(group) == 1}
    return alone | exact


def listed(text: str, called: Collection[str], images: Images) -> list[str]:
    """The names in a list, one a line; in lists of a class, 1, 0 or -1 follows. Some programs write the suffix too."""
    names = []
    xmls = set(map(key, called))
    known = {*xmls, *images.known}
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, tail = line.rpartition(" ")
        name = head.strip() if tail in ("1", "0", "-1") and key(line) not in known else line
        name = name.replace("\\", "/")
        names.append(name.rpartition(".")[0] if is_image_name(Path(name)) and key(name) not in xmls else name)
    return names


def write(annotations: Annotations, out: Path) -> None:
    """Annotations, JPEGImages, ImageSets/Main where there are splits, and `classes.txt`. Every digit is kept.

    Corners are of origin 0. Crowds are written as difficult. Raises UserError for a class that could not be read back.
    """
    require_readable(annotations)
    require_no_pages(annotations, "VOC")
    names = image_names(annotations)
    for folder in ("Annotations", "JPEGImages"):
        (out / folder).mkdir(parents=True)
    lists: dict[str, list[str]] = {}
    for one in annotations.examples:
        name = Path(names[one.path])
        copy_image(one.path, out / "JPEGImages", name.name)
        ElementTree.ElementTree(document(one, name.name)).write(out / "Annotations" / f"{name.stem}.xml", "utf-8")
        lists.setdefault(one.split, []).append(name.stem)
    for split, stems in lists.items():
        if split:
            (out / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
            write_text(out / "ImageSets" / "Main" / f"{split}.txt", "\n".join(stems))
    write_text(out / CLASSES, "\n".join(annotations.classes))


def require_readable(annotations: Annotations) -> None:
    """Raises UserError for a class whose name is no line of text, or not of the characters of XML."""
    for name in annotations.classes:
        if not name.strip() or name.splitlines() != [name] or NOT_XML.search(name):
            raise UserError(
                f"{annotations.root}: class {shown(repr(name))} cannot be written as VOC "
                "(empty, or with a line break or control character): rename it, or choose another format"
            )


def document(one: Example, name: str) -> Element:
    """The content of one XML file."""
    top = Element("annotation")
    SubElement(top, "filename").text = name
    size = SubElement(top, "size")
    for side, pixels in zip(("width", "height"), size_of(one), strict=True):
        SubElement(size, side).text = str(pixels)
    for obj in one.objects:
        node = SubElement(top, "object")
        SubElement(node, "name").text = obj.name
        SubElement(node, "difficult").text = str(int(obj.crowd))
        box = SubElement(node, "bndbox")
        for corner, value in zip(CORNERS, obj.box, strict=True):
            SubElement(box, corner).text = str(number(value))
    ElementTree.indent(top)
    return top
