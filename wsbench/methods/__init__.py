"""Methods: the protocol, loading one, asking it, and checking what it says about itself."""
