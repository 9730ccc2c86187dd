"""Image files opened: a path, bytes or a binary file, with mended copies of what decoders refuse. No torch here."""

import glob
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

from PIL import UnidentifiedImageError

from ...config import Pages
from ...errors import UserError, shown
from .foreign import address, refusal
from .identifying import explained, identified, identify
from .mending import mended
from .notes import Note
from .page_names import named_page, page_path
from .raw import Opened
from .stacks import stack_of

Result = TypeVar("Result")
HEAD = 512  # bytes by which a file is known that is no image


def with_opened(
    source: Any, use: Callable[[Opened], Result], pages: Pages = "first"
) -> tuple[Result, tuple[Note, ...]]:
    """The result of a function that is given an opened file, and what had to be mended.

    source: a path, also of a page as `cells.tif[3]`, bytes or a binary file. pages: what is read of a file of several,
    see `opened`. `use` gets an image whose head has been read; where it, or reading the head, fails, it gets one of a
    mended copy, if there is one. Raises UserError for whatever goes wrong.
    """
    name, (source, number) = name_of(source), page_of(source)

    def chosen(file: IO[bytes]) -> Result:
        return use(opened(file, name, number, pages))

    with explained(name), binary(source, name) as file:
        try:
            return chosen(file), ()
        except UserError:
            raise
        except Exception as error:
            if (found := of_mended(file, chosen)) is not None:
                return found
            if isinstance(error, UnidentifiedImageError):
                file.seek(0)
                raise UserError(f"{name} {refusal(file.read(HEAD), Path(name_of(source)).suffix)}") from None
            raise


def opened(file: IO[bytes], name: str, number: int | None, pages: Pages) -> Opened:
    """An image of a file: its page of that number; without, of several pages the first, or one image of all.

    `all` stands for each page by its own: there a file of several has to be named with a page. Raises UserError where
    it is not, and where there is no such page.
    """
    image = identified(file, name)
    if number is None and pages == "first":
        return image
    stack = stack_of(image, file, name if number is None else name.rpartition("[")[0])
    if number is not None or len(stack) == 1:
        return stack.image(number or 1)
    if pages in ("max", "mean"):
        return stack.projection(pages)
    words = f"holds {len(stack):,} pages, and none of them is named"
    raise PageNotNamed(f"{name} {words}: {name_one(name)}, or use --pages first, max or mean")


class PageNotNamed(UserError):
    """Each page of a file is an image of its own, and it is not said which one is meant."""


def name_one(name: str) -> str:
    """What to do about a file of several pages: name one of them."""
    return f"name one, as in {page_path(Path(name), 2).name}"


def pages_of(path: Path) -> list[Path]:
    """The images of a file, each by its name; the path itself where there is one, or the file cannot be read."""
    with suppress(UserError), explained(str(path)), binary(path, str(path)) as file:
        count = len(stack_of(identified(file, str(path)), file, str(path)))
        return [page_path(path, number) for number in range(1, count + 1)] if count > 1 else [path]
    return [path]


def page_of(source: Any) -> tuple[Any, int | None]:
    """The file of a source, and the number of its page, if its path names one."""
    return named_page(Path(source)) if isinstance(source, str | Path) else (source, None)


def of_mended(file: IO[bytes], use: Callable[[IO[bytes]], Result]) -> tuple[Result, tuple[Note, ...]] | None:
    """`with_opened` for a mended copy of a file; None where there is none, or it is no better."""
    try:
        found = mended(file, identify)
        return None if found is None else (use(found[0]), found[1])
    except UserError:
        raise
    except Exception:  # what is said is what is wrong with the file itself
        return None


def name_of(source: Any) -> str:
    """What messages call a source."""
    if isinstance(source, str | Path):
        return str(source)
    name = getattr(source, "name", None)
    return str(name) if isinstance(name, str | Path) else "the image"


@contextmanager
def binary(source: Any, name: str) -> Iterator[IO[bytes]]:
    """A source as a binary file that can be read from its start; files that are opened here are closed."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif hasattr(source, "read"):
        yield in_memory(source, name)
    else:
        path = Path(source)
        if not path.is_file():  # a pipe, say, would never end
            raise UserError(missing(source, path))
        with path.open("rb") as file:
            yield file


def missing(source: Any, path: Path) -> str:
    """Why a path is no file, and what to do about it."""
    if link := address(source):
        return f"{shown(link)} is an address: download it first, and name the file"
    if path.is_dir():
        return f"{path} is a folder: name an image file, or each of the images in it"
    if glob.has_magic(str(path)) and not path.exists():
        return f"{path} is not there: name an image file; for a pattern, those that `glob.glob` finds"
    return f"{path} {'is no ordinary file' if path.exists() else 'is not there'}: name an image file"


def in_memory(file: Any, name: str) -> IO[bytes]:
    """What is in a file that somebody opened, from its start where it has one."""
    if callable(getattr(file, "seek", None)):
        with suppress(OSError, ValueError):  # a stream
            file.seek(0)
    content = file.read()
    if not isinstance(content, bytes):
        kind = type(content).__name__
        raise UserError(f"{name} gives `{kind}` in place of bytes: open the file with mode `rb`")
    return BytesIO(content)
