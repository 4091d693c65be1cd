"""Recipes, data sources, training kernels and the build of wsbench's model zoos."""
