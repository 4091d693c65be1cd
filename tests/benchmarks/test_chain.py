"""`chain` without explicit features: beside these, and on networks where memory cannot hold them.

    pytest tests/benchmarks/test_chain.py --benchmark-only -n 0

The weights are random: times do not depend on them. The peer holds the upper triangle of each
196 × 196 feature, in float32 0.97 GB for 12,500 MLPs, and takes Euclidean distances, which need
several GB more. Memory is the growth of a fresh process's peak, with BLAS.
"""

import subprocess
import sys

import numpy as np

import wsbench
from wsbench_baselines.chain import Chain

N_MLPS, N_CNNS = 12_500, 200
CHANNELS = (3, 32, 64, 128, 256)
_seconds: dict[str, float] = {}

_GROWTH = """
import importlib.util, sys, wsbench
spec = importlib.util.spec_from_file_location("benchmark", sys.argv[1])
benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark)
def peak():  # not ru_maxrss, which begins with the peak of the process that started this one
    status = open("/proc/self/status").read()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])
checkpoints = getattr(benchmark, sys.argv[2])()
getattr(benchmark, sys.argv[3])(wsbench.Checkpoints(checkpoints.weights[:4], checkpoints.layout))
before = peak()
getattr(benchmark, sys.argv[3])(checkpoints)
print(peak() - before)
"""


def mlps():
    layout = wsbench.Layout.of([("fc1.weight", (10, 196), ("hidden-1", "input"))], "sigmoid")
    return random_weights(N_MLPS, layout)


def cnns():
    units = ("input", "hidden-1", "hidden-2", "hidden-3", "output")
    tensors = [
        (
            f"conv{i}",
            (CHANNELS[i], CHANNELS[i - 1], 3, 3),
            (units[i], units[i - 1], "row", "column"),
        )
        for i in range(1, 5)
    ]
    return random_weights(N_CNNS, wsbench.Layout.of(tensors, "relu"))


def random_weights(n, layout):
    weights = np.random.default_rng(0).standard_normal((n, layout.n_parameters), np.float32)
    weights.setflags(write=False)  # checkpoints copy writeable weights
    return wsbench.Checkpoints(weights, layout)


def first_chain(checkpoints):
    return Chain(1, "plain").pairwise(checkpoints)


def fourth_chain(checkpoints):
    return Chain(4, "plain").pairwise(checkpoints)


def explicit(checkpoints):
    """Distances of the upper triangles of X Xᵀ, its other elements counted twice."""
    upper = np.triu_indices(196)
    twice = np.where(upper[0] < upper[1], np.sqrt(2), 1).astype(np.float32)
    features = np.empty((len(checkpoints), len(twice)), np.float32)
    for i, W in enumerate(checkpoints.tensors("fc1.weight")):
        features[i] = (W.T @ W)[upper] * twice
    return wsbench.pairwise_euclidean(features)


def memory_bytes(checkpoints, distances):
    """The memory that the distances of checkpoints need; both are names of functions here."""
    command = [sys.executable, "-c", _GROWTH, __file__, checkpoints, distances]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_first_chain(benchmark, record_line):
    checkpoints = mlps()
    benchmark.pedantic(first_chain, (checkpoints,), rounds=1)
    _seconds["chain"] = benchmark.stats.stats.min
    more = memory_bytes("mlps", "first_chain") / (8 * N_MLPS**2) - 1
    record_line(
        f"chain 1 of {N_MLPS:,} MLPs: {_seconds['chain']:.0f} s,"
        f" memory the distance matrix + {more:.0%}"
    )
    assert more < 0.2


def test_explicit_features(benchmark, record_line):
    checkpoints = mlps()
    distances = benchmark.pedantic(explicit, (checkpoints,), rounds=1)
    few = wsbench.Checkpoints(checkpoints.weights[:50], checkpoints.layout)
    np.testing.assert_allclose(first_chain(few), distances[:50, :50], rtol=1e-5)
    seconds = benchmark.stats.stats.min
    ratio = seconds / _seconds["chain"]
    record_line(f"the same with explicit features: {seconds:.0f} s, {ratio:.2f} × chain")


def test_fourth_chain_of_a_cnn(benchmark, record_line):
    checkpoints = cnns()
    benchmark.pedantic(fourth_chain, (checkpoints,), rounds=1)
    seconds, peak = benchmark.stats.stats.min, memory_bytes("cnns", "fourth_chain")
    n_rows = CHANNELS[0] * 9**4
    record_line(
        f"chain 4 of {N_CNNS} CNNs, features of {n_rows:,}²: {seconds:.0f} s, {peak / 1e9:.2f} GB"
    )
    assert peak < 2e9
