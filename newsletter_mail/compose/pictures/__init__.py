"""Pictures of an issue: loaded from its folder, made fit for a mail, and set to their size.

The walk of one picture: ``loading`` finds the file and ``inspection`` looks at it, ``sizing`` reads
from the HTML how wide it is shown, ``conversion`` makes the file that goes out, which ``cache``
keeps; ``showing`` takes these steps.
"""

from newsletter_mail.compose.pictures.cache import PictureCache
from newsletter_mail.compose.pictures.inspection import SourcePicture
from newsletter_mail.compose.pictures.loading import LoadedPicture, PictureLoader
from newsletter_mail.compose.pictures.refusal import PictureRefused
from newsletter_mail.compose.pictures.showing import ShownPictures, show_pictures

__all__ = [
    "LoadedPicture",
    "PictureCache",
    "PictureLoader",
    "PictureRefused",
    "ShownPictures",
    "SourcePicture",
    "show_pictures",
]
