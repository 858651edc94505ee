"""From the folder of an issue to a build: Markdown, blocks, MJML, HTML and plain text.

The walk is straight: ``source`` → ``markdown`` → ``document`` → ``render`` → ``mjml_lint`` →
``to_html`` → ``patterns``, with ``text`` beside ``render``; ``build`` takes the steps in order.
What an author writes never enters MJML: it travels as alphanumeric marks (``marks``).
"""
