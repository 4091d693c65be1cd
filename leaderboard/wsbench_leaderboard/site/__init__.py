"""The static site: what its pages show is computed here, what they look like is in ``templates``.

Python makes texts, numbers and coordinates; only the templates write markup, and they escape all
that they are given.
"""
