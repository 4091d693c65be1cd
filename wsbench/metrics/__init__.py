"""Metrics and their algorithms: pure functions of arrays.

They know nothing of zoos, methods or tasks; every function that breaks ties takes an `rng`.
"""
