"""Training kernels in numba: strict IEEE 754 float32, the same bits on every CPU.

Each architecture's module has one class with the same four methods: ``start`` (flat weights to a
state), ``train_epoch``, ``weights`` (state to flat weights) and ``evaluate``.
"""
