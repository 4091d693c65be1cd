"""wsbench: benchmark suite and model zoos for weight-space methods.

The public interface. A zoo: `load_zoo`, `build_zoo`, `verify_zoo`, `Zoo`. A method: `MethodInfo`,
`Checkpoints`, `load_method`. A result: `evaluate`, `save_record`, `load_record`, `rescore`. The
catalogues `TASKS`, `PERTURBATIONS` and `SUITES` map names to what they stand for.
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
from wsbench.evaluation.accuracy import network_accuracy
from wsbench.evaluation.cluster import dask_client
from wsbench.evaluation.cost import Cost
from wsbench.evaluation.evaluate import Evaluation, EvaluationState, evaluate
from wsbench.evaluation.suites import SUITES, Suite, find_suite
from wsbench.methods.conformance import Finding, check_method
from wsbench.methods.limits import Limits
from wsbench.methods.loading import list_methods, load_method
from wsbench.methods.opening import OpenMethod, open_methods
from wsbench.methods.protocol import LoadedMethod, MethodDescription, MethodInfo
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.metrics.ranking import Comparison, compare_scores, rank_intervals, rank_text
from wsbench.metrics.seriation import spectral_order
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.directions import singular_directions
from wsbench.networks.layout import Convolution, Layout, Tensor
from wsbench.networks.perturbations import PERTURBATIONS
from wsbench.papers.weight_space_investigation import Reproduction, reproduce
from wsbench.records.compare import compare
from wsbench.records.environment import environment
from wsbench.records.record import Record, find_record, load_record, save_record, write_record
from wsbench.records.rescoring import load_answers, rescore
from wsbench.records.schema import RecordContent
from wsbench.storage.atomic import atomic_write, explain_storage_errors
from wsbench.tasks.catalogue import TASKS, primary_score
from wsbench.tasks.condition import Condition, parse_entry
from wsbench.tasks.ground_truth import published_truth
from wsbench.tasks.score import Score
from wsbench.tasks.scoring import score_answers, task_versions
from wsbench.zoo.cache import DEFAULT_ZOO, build_zoo, home, load_zoo, zoo_folder
from wsbench.zoo.metadata import DataOrigin, ZooMetadata
from wsbench.zoo.providers import (
    BuildState,
    Progress,
    PublishedZoo,
    ZooProvider,
    provider_of,
    published_zoos,
)
from wsbench.zoo.splits import split_of_models
from wsbench.zoo.verification.verify import Check, Verification, verify_zoo
from wsbench.zoo.writer import write_zoo
from wsbench.zoo.zoo import Zoo

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_ZOO",
    "PERTURBATIONS",
    "SUITES",
    "TASKS",
    "BuildState",
    "Check",
    "Checkpoints",
    "Comparison",
    "Condition",
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
    "RecordContent",
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
    "atomic_write",
    "build_zoo",
    "check_method",
    "compare",
    "compare_scores",
    "dask_client",
    "environment",
    "evaluate",
    "explain_storage_errors",
    "find_record",
    "find_suite",
    "home",
    "list_methods",
    "load_answers",
    "load_method",
    "load_record",
    "load_zoo",
    "network_accuracy",
    "open_methods",
    "pairwise_euclidean",
    "parse_entry",
    "primary_score",
    "provider_of",
    "published_truth",
    "published_zoos",
    "rank_intervals",
    "rank_text",
    "reproduce",
    "rescore",
    "save_record",
    "score_answers",
    "singular_directions",
    "spectral_order",
    "split_of_models",
    "task_versions",
    "verify_zoo",
    "write_record",
    "write_zoo",
    "zoo_folder",
]
