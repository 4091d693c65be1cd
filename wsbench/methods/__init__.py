"""Methods: protocol, loading, processes, sessions, and checks of declared properties."""
