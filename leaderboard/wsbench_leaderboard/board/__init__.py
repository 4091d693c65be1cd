"""The board: a folder of records, read, checked and added to."""
