"""Zoos: their format, reading, writing, finding and verifying them.

Knows neither methods nor tasks.
"""
