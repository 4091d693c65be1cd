"""wsbench: benchmark suite and model zoos for weight-space methods.

The public interface. A zoo: `load_zoo`, `build_zoo`, `verify_zoo`, `Zoo`. A method: `MethodInfo`,
`Checkpoints`, `load_method`. A result: `evaluate`, `save_record`, `load_record`, `rescore`. The
catalogues `TASKS`, `PERTURBATIONS` and `SUITES` map names to what they stand for.
"""

import lazy_loader

# Each name is imported when it is first used: a method's process needs few of them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
