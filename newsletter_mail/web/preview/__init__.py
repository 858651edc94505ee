"""The live preview: a page that shows an issue as it is now, and follows every save.

For the author's own machine. It changes nothing but the workspace's cache of pictures.
"""

from newsletter_mail.web.preview.app import Preview, create_preview
from newsletter_mail.web.preview.opening import OpenWorkspace, PreviewSettings

__all__ = ["OpenWorkspace", "Preview", "PreviewSettings", "create_preview"]
