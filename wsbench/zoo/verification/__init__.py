"""Verification of a zoo: files, values, and the claims it makes."""
