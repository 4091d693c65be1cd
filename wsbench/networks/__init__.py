"""Networks as flat weight vectors: layout, forward pass, symmetries, perturbations.

Knows neither zoos nor methods.
"""
