"""Collects records, computes their scores again, ranks and renders them."""
