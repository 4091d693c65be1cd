"""Files that are written whole or not at all, and read with suspicion.

Imports only errors; every other room may import it.
"""
