"""YAML that may be of anybody: plain values only, and one error for whatever PyYAML does with the rest. No torch here.

Aliases are refused: nine lines of aliases of aliases stand for more values than any memory holds. So are whole numbers
that no data set needs, since Python does not write those of thousands of digits.
"""

from typing import Any

import yaml

from ..errors import shown

LONGEST = 1_000_000  # characters; PyYAML reads about 100,000 a second
DIGITS = 30  # of a whole number


class PlainLoader(yaml.SafeLoader):
    """Refuses aliases and huge numbers."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Raises ValueError for an alias."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise ValueError(f"line {event.start_mark.line + 1}: aliases (*{shown(event.anchor)}) are not read")
        return super().compose_node(parent, index)

    def short_int(self, node: yaml.ScalarNode) -> int:
        """Raises ValueError for a number of more than DIGITS."""
        if len(node.value) > DIGITS:
            raise ValueError(f"{shown(node.value)} is too large a number")
        return int(self.construct_yaml_int(node))


PlainLoader.add_constructor("tag:yaml.org,2002:int", PlainLoader.short_int)


def parsed(text: str, loader: type[PlainLoader] = PlainLoader) -> Any:
    """What a text of YAML says. Raises ValueError, with the reason in one line, for whatever cannot be read."""
    if len(text) > LONGEST:
        raise ValueError(f"it has more than {LONGEST:,} characters")
    try:
        return loader(text).get_single_data()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except Exception as error:  # PyYAML meets odd tags and dates with IndexError, AttributeError and others
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
