"""Building zoos: models go to workers, and finished ones to disk."""
