import pytest

import wsbench

METHOD = """
import wsbench

class MyMethod:
    info = wsbench.MethodInfo("my-method")

    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def transform(self, checkpoints):
        return checkpoints.weights[:, :3] * self.scale

Second = MyMethod
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(METHOD)
    return path


@pytest.mark.parametrize("in_process", [False, True])
def test_open_methods__gives_each_method_the_parameters_that_it_takes(file, in_process):
    specs = ["svd", "euclidean", f"{file}:MyMethod", "svd"]
    parameters = {"k": 2, "scale": 3}
    with wsbench.open_methods(specs, parameters, in_process=in_process) as methods:
        assert [one.label for one in methods] == ["svd k=2", "euclidean", "my-method scale=3"]


def test_open_methods__says_that_no_method_takes_a_parameter():
    with (
        pytest.raises(wsbench.MethodError) as error,
        wsbench.open_methods(["svd", "euclidean"], {"q": 2}),
    ):
        pass
    assert str(error.value) == (
        "q=2: no parameter 'q'. Parameters: svd takes k; euclidean takes none."
    )


def test_open_methods__refuses_two_methods_of_one_name(file):
    with (
        pytest.raises(wsbench.MethodError, match="are both called 'my-method': give each a name"),
        wsbench.open_methods([f"{file}:MyMethod", f"{file}:Second"]),
    ):
        pass
