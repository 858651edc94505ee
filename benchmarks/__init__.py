"""Measures newsletter-mail side by side with other programs: ``make bench``.

``measures`` has a module for each thing that is measured, ``programs`` what they start as a process
of its own. This process imports nothing of newsletter-mail and stays small: Linux counts the
memory of the process that started a program as memory of that program.
"""
