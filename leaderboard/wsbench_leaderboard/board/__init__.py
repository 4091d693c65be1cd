"""A folder of records: reading, checking, adding and restamping."""
