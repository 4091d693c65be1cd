"""Verification of a zoo: its files, its values and its claims."""
