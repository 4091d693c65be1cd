import numpy as np
import pytest

import wsbench
from support.methods import loaded
from wsbench.networks.checkpoints import Labels


@pytest.mark.parametrize("name", ["", "Mine", "my method", "-mine", "mine-", "my--own", "a/b", "é"])
def test_method_info__refuses_a_name_that_is_no_words_joined_by_hyphens(name):
    with pytest.raises(wsbench.MethodError, match="is not lower-case words joined by hyphens"):
        wsbench.MethodInfo(name)


@pytest.mark.parametrize("field", ["needs", "invariances"])
@pytest.mark.parametrize("words", [["time"], {"labels", "time"}, "time"])
def test_method_info__lists_the_words_there_are(field, words):
    with pytest.raises(
        wsbench.MethodError, match=rf"MethodInfo: {field} \[.*'time'\]: allowed are"
    ):
        wsbench.MethodInfo("x", **{field: words})


def test_method_info__takes_any_iterable_of_words_and_a_single_one():
    for needs in (["labels"], ("labels",), iter(["labels"]), {"labels"}, "labels"):
        assert wsbench.MethodInfo("x", needs=needs).needs == {"labels"}
    assert wsbench.MethodInfo("x") == wsbench.MethodInfo("x", "1", "", [], set())


URLS = ["https://arxiv.org/abs/1905.00414", "https://a.example/x?y=1#z", ""]
NO_URLS = [
    "http://a.example/x", "javascript:alert(1)", "https://a.example/<b>", 'https://a.example/"x',
    "https://user@a.example", "https://a", "https://a.example/ x", "https://a.example/\n",
    "https://a.example/" + "x" * 200, "//a.example", "file:///etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("field", ["code_url", "paper_url"])
def test_method_info__takes_addresses_of_https_only(field):
    for url in URLS:
        assert getattr(wsbench.MethodInfo("x", **{field: url}), field) == url
    for url in NO_URLS:
        with pytest.raises(wsbench.MethodError, match=f"MethodInfo: {field} .* is not https://…"):
            wsbench.MethodInfo("x", **{field: url})


@pytest.mark.parametrize(
    ("parameters", "label", "arguments"),
    [
        ({}, "mine", "a.py:Mine"),
        ({"k": 5}, "mine k=5", "a.py:Mine --set k=5"),
        ({"k": [1, 2.5]}, "mine k=[1,2.5]", "a.py:Mine --set 'k=[1,2.5]'"),
        ({"on": True, "of": None}, "mine on=true of=null", "a.py:Mine --set on=true --set of=null"),
        ({"word": "hidden-1"}, "mine word=hidden-1", "a.py:Mine --set word=hidden-1"),
        ({"word": "5"}, 'mine word="5"', "a.py:Mine --set 'word=\"5\"'"),
        ({"word": "a b"}, "mine word=a b", "a.py:Mine --set 'word=a b'"),
    ],
)
def test_loaded_method__shows_its_parameters(parameters, label, arguments):
    info = wsbench.MethodInfo("mine")
    method = wsbench.MethodDescription(info, "a.py:Mine", "0" * 64, parameters, tuple(parameters))
    assert (method.label, method.arguments) == (label, arguments)


@pytest.mark.parametrize(
    ("needs", "seen"),
    [
        (set(), set()),
        ({"labels"}, {"model", "epoch"}),
        ({"activations"}, {"probe_inputs", "activations"}),
        ({"probe_inputs"}, {"probe_inputs", "activations"}),
        ({"labels", "activations"}, {"model", "epoch", "probe_inputs", "activations"}),
    ],
)
def test_loaded_method__shows_what_was_declared_and_nothing_else(needs, seen):
    layout = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "identity")
    view = loaded(object(), needs=needs).view(
        np.zeros((3, 2), np.float32),
        layout,
        np.zeros((4, 2), np.float32),
        Labels(np.zeros(3, np.int32), np.arange(3, dtype=np.int16)),
    )
    for name, read in {
        "model": lambda: view.model,
        "epoch": lambda: view.epoch,
        "probe_inputs": lambda: view.probe_inputs,
        "activations": lambda: view.activations("output"),
    }.items():
        if name in seen:
            read()
        else:
            with pytest.raises(wsbench.UndeclaredNeedError):
                read()


class Estimator:
    """As scikit-learn's: ``fit(X, y=None)`` and a ``random_state`` of its own."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.drawn = np.random.default_rng(self.random_state).random()


def test_loaded_method__draws_the_random_state_of_an_estimator_that_has_none():
    drawn = []
    for seed in (0, 0, 1):
        method = Estimator()
        loaded(method).fit(None, np.random.default_rng(seed))
        drawn.append(method.drawn)
    assert drawn[0] == drawn[1] != drawn[2]


def test_loaded_method__leaves_a_random_state_that_was_set():
    method = Estimator(random_state=3)
    loaded(method).fit(None, np.random.default_rng(0))
    assert method.random_state == 3
