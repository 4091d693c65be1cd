"""Seasons: fresh test models for the board, and methods run again on them."""
