"""Reproductions of source papers, one module a paper."""
