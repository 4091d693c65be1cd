"""Zoos: their format, and how they are read, written, built and verified.

Knows neither methods nor tasks.
"""
