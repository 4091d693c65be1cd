"""Storage: files are written whole or not at all, and untrusted ones are read within bounds.

Imports only errors; every other room may import it.
"""
