"""Reference methods, one file each, written exactly as an outsider would write a plugin.

A file with a method imports no other baseline, so that it can be copied alone, except a variant,
which imports the method that it varies. A file without a method, `subspace_match_pairs`, may import
those that hold one.
"""
