"""The kinds of faults, as data: what each is about, what becomes of it, and what to do about many of them.
No torch here."""

UNCLEAR = "bbox"  # what the numbers of boxes are: all of them may be wrong
OUTSIDE = "outside-folder"  # what leads out of the folder of the data
SET = (UNCLEAR, "units", "resized", "fractions", "voc-origin", "doubled", "no-training-images")
"""Kinds that are about the whole set: said first, each once."""
FIXED = ("negative-size", "inverted", "clipped", "listed-twice", "other-name", "same-name", "units", "resized")
IMAGES = ("missing", "broken", "two-splits", "copy")  # kinds of faults of an image; the next ones are of an object
OBJECTS = ("not-finite", "unknown-class", "zero-size", "negative-size", "inverted", "outside", "clipped", "duplicate")
NOTHING_LOST = ("two-splits", "copy", "duplicate", "same-id", OUTSIDE, UNCLEAR)  # what is there twice, or no object
GEOMETRY = ("negative-size", "inverted", "outside", "clipped")  # kinds of OBJECTS that follow from wrong numbers
REMEDIES = {
    "broken": "replace or remove these images",
    "clipped": "if these are many, see that boxes belong to their images, and images were not cropped since",
    "class-without-examples": "`train` leaves out those that nothing is of",
    "duplicate": "nothing to do, each is kept once",
    "missing": "add these images, or name the folder that holds them and their annotations",
    "no-image": "add these images to the list, or remove what is about them",
    "outside": "see that boxes belong to their images, and images were not cropped or resized since",
    "two-splits": "remove these images from one of the two splits",
    "unknown-class": "add these classes to the list of classes, or correct their names",
    "unreadable": "correct these records, or export them again",
    "zero-size": "draw these boxes again, or remove them",
}
