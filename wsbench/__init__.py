"""wsbench: benchmark suite and model zoos for weight-space methods.

The public interface. A zoo: `load_zoo`, `build_zoo`, `verify_zoo`, `Zoo`. A method: `MethodInfo`,
`Checkpoints`, `load_method`. A result: `evaluate`, `save_record`, `load_record`, `rescore`.
"""

from wsbench.errors import (
    DataError,
    FormatError,
    IntegrityError,
    MethodError,
    MethodFailedError,
    RecipeError,
    StorageError,
    UndeclaredNeedError,
    UnknownIdError,
    WorkerError,
    WsbenchError,
    ZooError,
)
from wsbench.evaluation.cluster import dask_client
from wsbench.evaluation.cost import Cost
from wsbench.evaluation.evaluate import Evaluation, EvaluationState, evaluate
from wsbench.evaluation.suites import Suite, find_suite
from wsbench.methods.conformance import Finding, check_method
from wsbench.methods.limits import Limits
from wsbench.methods.loading import list_methods, load_method
from wsbench.methods.opening import OpenMethod, open_methods
from wsbench.methods.protocol import LoadedMethod, MethodDescription, MethodInfo
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.metrics.ranking import Comparison, compare_scores, rank_intervals
from wsbench.metrics.seriation import spectral_order
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.directions import singular_directions
from wsbench.networks.layout import Convolution, Layout, Tensor
from wsbench.papers.weight_space_investigation import Reproduction, reproduce
from wsbench.records.compare import compare
from wsbench.records.environment import environment
from wsbench.records.record import Record, find_record, load_record, rescore, save_record
from wsbench.tasks.score import Score
from wsbench.zoo.cache import DEFAULT_ZOO, build_zoo, home, load_zoo, zoo_folder
from wsbench.zoo.metadata import DataOrigin, ZooMetadata
from wsbench.zoo.providers import BuildState, Progress, PublishedZoo, ZooProvider, published_zoos
from wsbench.zoo.splits import split_of_models
from wsbench.zoo.verification.verify import Check, Verification, verify_zoo
from wsbench.zoo.writer import write_zoo
from wsbench.zoo.zoo import Zoo

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_ZOO",
    "BuildState",
    "Check",
    "Checkpoints",
    "Comparison",
    "Convolution",
    "Cost",
    "DataError",
    "DataOrigin",
    "Evaluation",
    "EvaluationState",
    "Finding",
    "FormatError",
    "IntegrityError",
    "Labels",
    "Layout",
    "Limits",
    "LoadedMethod",
    "MethodDescription",
    "MethodError",
    "MethodFailedError",
    "MethodInfo",
    "OpenMethod",
    "Progress",
    "PublishedZoo",
    "RecipeError",
    "Record",
    "Reproduction",
    "Score",
    "StorageError",
    "Suite",
    "Tensor",
    "UndeclaredNeedError",
    "UnknownIdError",
    "Verification",
    "WorkerError",
    "WsbenchError",
    "Zoo",
    "ZooError",
    "ZooMetadata",
    "ZooProvider",
    "build_zoo",
    "check_method",
    "compare",
    "compare_scores",
    "dask_client",
    "environment",
    "evaluate",
    "find_record",
    "find_suite",
    "home",
    "list_methods",
    "load_method",
    "load_record",
    "load_zoo",
    "open_methods",
    "pairwise_euclidean",
    "published_zoos",
    "rank_intervals",
    "reproduce",
    "rescore",
    "save_record",
    "singular_directions",
    "spectral_order",
    "split_of_models",
    "verify_zoo",
    "write_zoo",
    "zoo_folder",
]
