"""Names in the cells of a CSV file. Spreadsheets compute what begins like a formula. No torch here.

What begins with one of these characters gets an apostrophe in front, which spreadsheets take for "this is text" (OWASP,
"CSV Injection"): https://owasp.org/www-community/attacks/CSV_Injection
"""

import re

FORMULA = r"[=+\-@\t\r\n]"


def protected(name: str) -> str:
    """A name as the text of a cell. One that has apostrophes in front of such a character gets one more."""
    return f"'{name}" if re.match(f"'*{FORMULA}", name) else name


def unprotected(cell: str) -> str:
    """The name in a cell that `protected` made; other cells stay as they are."""
    return cell[1:] if re.match(f"'+{FORMULA}", cell) else cell
