"""Files that somebody has damaged or made to do harm: what is done to bytes, to JSON, to YAML, to lines of text."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

CANARY = "canary"  # a file that is there only if something in a hostile file was run
DEEP = 3_000  # brackets
Mutation = Callable[[bytes, Random], bytes]


class Planted:
    """What a pickle runs when it is read."""

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (CANARY, "w")


PICKLE = pickle.dumps({"config": Planted(), "model": Planted()})
VALUES = (  # as JSON writes them
    *("null", "true", "false", "[]", "{}", "0", "-1", "0.5", "-0.0", "1e308", "-1e308", "1e999", "NaN", "-Infinity"),
    *("9" * 30, "9" * 5_000, "1" * 400 + ".5", "2147483648", "9223372036854775808", "1e-320", '""', '" "', '"\\n"'),
    *('"a"', '"0"', '"-1"', '"nan"', '"1e999"', '"\\u0000"', '"\\ud800"', '"\\u001b[31mred"', '"\\u202etxt"'),
    *('"../../../etc/passwd"', '"/etc/passwd"', '"C:\\\\x.png"', '"=1+1"', '"."', '".."', '"/"', '"__proto__"'),
    *(f'"{"a" * 200_000}"', "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 100_000),
    *('[1, "a", null, [], {}]', '{"a": 1}', "[[[1]]]", "[0, 0, 0, 0]", "[1e999, 0, -1, NaN]", '["a", "a"]'),
)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TAGS = (  # as YAML writes them
    *("!!python/object/apply:builtins.open [canary, w]", "!!python/name:os.system", "!!python/module:os"),
    *("!!python/object/new:os.system [touch canary]", "!!int ''", "!!float x", "!!timestamp x", "!!binary '!'"),
    *("!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!bool maybe", "!!null x", "!unknown x", "*nowhere"),
    *("&a [*a]", "{<<: 5}", "{<<: *a}", "? [a, b]", "2001-02-30", "190:20:30", "0x7fffffffffffffff", "0b1", "0o17"),
    *(".inf", "-.inf", ".nan", "1e400", "1_000_000", "~", "yes", "'", '"', "|", ">", "%YAML 9.9", "---", "...", "@"),
    *("[" * DEEP, "{a: " * DEEP, "- " * DEEP, "? " * 900),
)
TOKENS = (  # of text files of any kind
    *("", " ", "\t", "\0", "\r", "\ufeff", "\u2028", "\x1b[2J", "\ud7ff", "nan", "inf", "-inf", "1e999", "-1", "0"),
    *("1e-320", "9" * 400, "0x10", "1,5", "1_0", "\u0661", "a", "a b", "../../etc/passwd", "/etc/passwd", "=1+1"),
    *("<", ">", "&", "&amp;", "&#0;", "&x;", "]]>", "<!--", '"', "'", '""', ",", ";", ";;;;", "\\", "/", ".", ".."),
    "x" * 100_000,
)


def somewhere(content: bytes, random: Random) -> tuple[int, int]:
    """Begin and end of a part, mostly a short one."""
    begin = random.randrange(len(content) + 1)
    longest = random.choice((1, 4, 16, 200, len(content)))
    return begin, min(len(content), begin + random.randrange(longest + 1))


def flip(content: bytes, random: Random) -> bytes:
    """One bit is another one."""
    if not content:
        return b"\1"
    changed = bytearray(content)
    changed[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(content: bytes, random: Random) -> bytes:
    """The end is missing."""
    return content[: random.randrange(len(content) + 1)]


def remove(content: bytes, random: Random) -> bytes:
    """A part is missing."""
    begin, end = somewhere(content, random)
    return content[:begin] + content[end:]


def repeat(content: bytes, random: Random) -> bytes:
    """A part is there several times."""
    begin, end = somewhere(content, random)
    return content[:end] + content[begin:end] * random.choice((1, 2, 20)) + content[end:]


def insert(content: bytes, random: Random) -> bytes:
    """Something else is in between."""
    begin = random.randrange(len(content) + 1)
    token = random.choice((random.randbytes(random.randrange(1, 30)), random.choice(TOKENS).encode(errors="replace")))
    return content[:begin] + token + content[begin:]


def overwrite(content: bytes, random: Random) -> bytes:
    """A part has other bytes."""
    begin, end = somewhere(content, random)
    fill = random.choice((b"\0", b"\xff", b" ", b"9", b"\x80"))
    return content[:begin] + random.choice((fill * (end - begin), random.randbytes(end - begin))) + content[end:]


def exchange(content: bytes, random: Random) -> bytes:
    """Two parts have exchanged their places."""
    a, b, c, d = sorted(random.randrange(len(content) + 1) for _ in range(4))
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def replace_all(_: bytes, random: Random) -> bytes:
    """Another file lies there."""
    others = (b"", b"\0", b"null", b"[]", b"{}", b"<!doctype html><html></html>", b"PK\3\4", b"\x89PNG\r\n\x1a\n")
    return random.choice((*others, PICKLE, random.randbytes(300), b"[" * 50_000, b" " * 100_000))


def encode(content: bytes, random: Random) -> bytes:
    """The same text in another encoding."""
    text = content.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp500")), "replace")


BYTES: tuple[Mutation, ...] = (flip, flip, cut, remove, repeat, insert, overwrite, exchange, replace_all)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value in a tree of plain types, as what holds it and its key or index."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)


def json_value(content: bytes, random: Random) -> bytes:
    """A value of a JSON text is another one, is missing, is there twice, or has another key."""
    try:
        tree = json.loads(content)
        where = list(places(tree)) if isinstance(tree, dict | list) else []
    except (ValueError, RecursionError):
        return flip(content, random)
    if not where:
        return random.choice(VALUES).encode()
    holder, key = random.choice(where)
    kind, mark = random.randrange(6), "\0mark\0"
    if kind <= 2:
        holder[key] = mark
    elif kind == 3:
        del holder[key]
    elif kind == 4 and isinstance(holder, dict):
        holder[random.choice((mark, "id", "", "a" * 1_000, "\ud800"))] = holder.pop(key)
    else:
        other, name = random.choice(where)
        holder[key] = other[name]
    try:
        text = json.dumps(tree)
    except (ValueError, RecursionError):  # it holds itself
        return flip(content, random)
    raw = random.choice(VALUES)
    return text.replace(json.dumps(mark), raw if kind <= 2 or raw.startswith('"') else '"a"').encode()


def json_line(content: bytes, random: Random) -> bytes:
    """The same in one of the lines, each of which is a JSON text."""
    lines = content.splitlines() or [b""]
    i = random.randrange(len(lines))
    lines[i] = json_value(lines[i], random)
    return b"\n".join(lines)


def yaml_value(content: bytes, random: Random) -> bytes:
    """A line of a YAML text has another value, or a bomb of aliases lies before it."""
    lines = content.decode("utf-8", "replace").splitlines()
    if not lines or random.random() < 0.05:
        return (BOMB + "\n".join(lines)).encode()
    i = random.randrange(len(lines))
    name = lines[i].partition(":")[0]
    value = random.choice((*TAGS, *VALUES)) if random.random() < 0.8 else random.choice(TOKENS)
    lines[i] = random.choice((f"{name}: {value}", f"{value}: {lines[i].strip()}", value, f"{lines[i]} {value}"))
    return "\n".join(lines).encode("utf-8", "replace")


def line(content: bytes, random: Random) -> bytes:
    """A line is missing, is there twice, is another one, has changed its place, or ends in another way."""
    lines = content.decode("utf-8", "replace").splitlines()
    i, j = (random.randrange(len(lines) + 1) for _ in range(2))
    kind = random.randrange(5)
    if kind == 0:
        del lines[i : i + 1]
    elif kind == 1:
        lines[j:j] = lines[i : i + 1]
    elif kind == 2:
        lines[i : i + 1] = [random.choice(TOKENS)]
    elif kind == 3 and i < len(lines):
        lines.insert(j, lines.pop(i))
    return random.choice(("\n", "\n", "\r\n", "\r", "\n\n")).join(lines).encode("utf-8", "replace")


def word(content: bytes, random: Random) -> bytes:
    """A word, number or name is another one."""
    text = content.decode("utf-8", "replace")
    separators = ' ,;:\t\n"<>=[]{}'
    stops = [i for i, letter in enumerate(text) if letter in separators] or [0]
    at = random.randrange(len(stops))
    begin, end = stops[at] + 1, stops[at + 1] if at + 1 < len(stops) else len(text)
    return (text[:begin] + random.choice(TOKENS) + text[max(begin, end) :]).encode("utf-8", "replace")


TEXT = (*BYTES, encode, line, line, word, word, word)
BY_ENDING: dict[str, tuple[Mutation, ...]] = {
    ".json": (*BYTES, encode, *[json_value] * 16),
    ".jsonl": (*TEXT, *[json_line] * 12),
    ".yaml": (*TEXT, *[yaml_value] * 12),
    ".yml": (*TEXT, *[yaml_value] * 12),
    **dict.fromkeys((".txt", ".csv", ".tsv", ".xml", ".names", ".labels"), TEXT),
}


def mutated(content: bytes, ending: str, random: Random) -> bytes:
    """One to three mutations that fit what a file of this ending holds."""
    for _ in range(random.choice((1, 1, 2, 3))):
        content = random.choice(BY_ENDING.get(ending, BYTES))(content, random)
    return content
