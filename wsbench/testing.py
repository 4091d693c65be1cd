"""For the tests of a method's own package: the conformance checks, under pytest.

Examples
--------
In ``test_my_method.py``::

    from wsbench.testing import conformance

    @conformance("my_package.my_method:MyMethod")
    def test_my_method__conforms(finding):
        assert finding.status != "failed", finding.detail
"""

from typing import TYPE_CHECKING

from wsbench.methods.conformance import Finding, check_method

if TYPE_CHECKING:
    import pytest

__all__ = ["Finding", "check_method", "conformance"]


def conformance(method: str) -> "pytest.MarkDecorator":
    """Return a decorator that runs a test once for each check, with its ``finding``.

    The checks run when pytest collects the test.

    Parameters
    ----------
    method
        As `wsbench.load_method` takes it.
    """
    import pytest

    findings = check_method(method)
    names = [finding.check.replace(" ", "-") for finding in findings]
    return pytest.mark.parametrize("finding", findings, ids=names)
