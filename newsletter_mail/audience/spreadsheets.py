"""Text in CSV that a spreadsheet does not take for a formula, and back. Pure.

A cell that starts with ``=``, ``+``, ``-``, ``@``, a tab or CR is computed when the file is opened
(https://owasp.org/www-community/attacks/CSV_Injection). Such a value gets an apostrophe in front,
and loses it when it is read again.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guard(value: str) -> str:
    """The value as it is written.

    >>> guard("=1+1")
    "'=1+1"
    """
    return f"'{value}" if _FORMULA.match(value) else value


def unguard(value: str) -> str:
    """What ``guard`` was given: ``unguard(guard(x)) == x`` for every text.

    >>> unguard("'=1+1")
    '=1+1'
    """
    return value[1:] if value.startswith("'") and _GUARDED.match(value) else value
