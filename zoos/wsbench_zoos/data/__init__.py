"""Data sources: arrays with a known sha256."""
