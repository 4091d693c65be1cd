"""The static site: content is computed in Python, markup is written by ``templates`` only.

Templates get texts, numbers and coordinates, and escape them all.
"""
