"""Where the files that travel with the program are: templates, migrations, the sample issue.

In a checkout they lie at the top of the repository; a wheel carries them inside the package.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The folder ``templates``, ``migrations`` or ``issues`` that came with the program.

    Raises:
        FileNotFoundError: the installation is not whole.
    """
    for parent in (_PACKAGE / "_bundled", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"newsletter-mail was installed without its folder {name}")
