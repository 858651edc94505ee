"""The public pages and the preview: a request, one call of the floors below, a page."""
