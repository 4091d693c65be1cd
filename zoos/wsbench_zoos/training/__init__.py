"""Training one model, bit for bit: randomness, architectures, kernels."""
