"""Evaluation of a method on a zoo under a suite."""
