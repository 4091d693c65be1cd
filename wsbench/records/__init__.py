"""Records of evaluations: writing, reading and comparing them."""
