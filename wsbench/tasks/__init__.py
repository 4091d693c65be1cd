"""Tasks: one module each, and the catalogue that every table, page and help text reads.

A task's `run` asks a method and returns answers, and `check` refuses answers that no method can
give. `scores` and `by_model` compute from the answers alone, so every score can be recomputed.
Rows are numbered by model and epoch, not by their order in the zoo.
"""
