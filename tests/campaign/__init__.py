"""Campaign of faults: kills, damaged files, hostile methods, broken packages.

``python -m tests.campaign`` from the repository's root; ``--help`` lists the counts.
"""
