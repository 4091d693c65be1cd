"""Data sources: arrays with a known sha256, wherever they come from."""
