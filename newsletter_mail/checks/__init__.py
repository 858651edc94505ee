"""The linter: rules on what would be sent, in groups of one file each.

``catalogue`` knows all rules, ``running`` applies them, ``formats`` writes what they found. A rule
is a small function over one language of an issue, over the settings, or over the people on the
list.
"""
