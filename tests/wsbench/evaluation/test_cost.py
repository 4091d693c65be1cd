import pytest

import wsbench
from wsbench.evaluation.cost import measure_cost
from wsbench.tasks.blinded_zoo import BlindedZoo

METHODS = """
import time
import numpy as np

class Slow:
    def fit(self, train, *, rng):
        time.sleep(0.3)

    def transform(self, checkpoints):
        time.sleep(0.2)
        return np.asarray(checkpoints)

    def order(self, checkpoints):
        time.sleep(0.05)
        return np.arange(len(checkpoints))

class Hungry:
    def __init__(self, megabytes=200):
        self.megabytes = megabytes

    def transform(self, checkpoints):
        if len(checkpoints) > 8:
            np.ones(self.megabytes << 17)
        return np.asarray(checkpoints)

class Compiling:
    ready = False

    def transform(self, checkpoints):
        if not self.ready:
            time.sleep(3)
            self.ready = True
        return np.asarray(checkpoints)

class Dying:
    def transform(self, checkpoints):
        import os
        os._exit(9)

class Failing:
    def transform(self, checkpoints):
        raise RuntimeError("no luck")
"""


@pytest.fixture
def cost(make_zoo, tmp_path):
    blinded = BlindedZoo(wsbench.load_zoo(make_zoo(models=30)), "standard", 0)
    (tmp_path / "methods.py").write_text(METHODS)

    def measure(name, **parameters):
        loaded = wsbench.load_method(f"{tmp_path}/methods.py:{name}", parameters)
        return measure_cost(loaded.description, blinded, wsbench.Limits())

    return measure


def test_measure_cost__takes_the_time_of_each_part(cost):
    found = cost("Slow")
    assert 0.3 <= found.fit_s < 3
    assert 0.2 <= found.embed_s < 3
    assert 6 * 0.05 <= found.order_s < 3  # six test models


def test_measure_cost__counts_the_memory_that_the_method_takes(cost):
    little, much = (cost("Hungry", megabytes=n).peak_bytes for n in (1, 201))
    assert much - little == pytest.approx(200 << 20, rel=0.1)


@pytest.mark.slow
def test_measure_cost__leaves_out_what_a_first_call_compiles(cost):
    assert cost("Compiling").embed_s < 2


@pytest.mark.parametrize(
    ("name", "message"),
    [("Dying", "ended with exit status 9 during answer"), ("Failing", "RuntimeError: no luck")],
)
def test_measure_cost__says_why_a_method_failed(cost, name, message):
    with pytest.raises(wsbench.MethodFailedError, match=message):
        cost(name)
