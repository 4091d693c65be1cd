from .errors import (
    DataError,
    FormatError,
    IntegrityError,
    MethodError,
    MethodFailedError,
    RecipeError,
    StorageError,
    TransferError,
    UndeclaredNeedError,
    UnknownIdError,
    WorkerError,
    WsbenchError,
    ZooError,
)
from .evaluation.accuracy import network_accuracy
from .evaluation.cluster import dask_client
from .evaluation.cost import Cost
from .evaluation.evaluate import Evaluation, EvaluationState, evaluate
from .evaluation.suite import SUITES, Suite, find_suite
from .exchange.download import DownloadState, download_zoo
from .exchange.export import export_checkpoint
from .exchange.loading import load_zoo
from .exchange.publish import Publication, publish_zoo
from .exchange.torch_network import torch_network
from .methods.conformance import Finding, check_method
from .methods.limits import Limits
from .methods.loading import list_methods, load_method
from .methods.opening import OpenMethod, open_methods
from .methods.protocol import LoadedMethod, MethodDescription, MethodInfo
from .metrics.distances import pairwise_euclidean
from .metrics.intervals import interval_of_difference
from .metrics.ranking import Comparison, compare_scores, rank_intervals, rank_text
from .metrics.seriation import spectral_order
from .networks.checkpoints import Checkpoints, Labels
from .networks.directions import singular_directions
from .networks.layout import Convolution, Layout, Tensor
from .networks.perturbations import PERTURBATIONS
from .papers.weight_space_investigation import Reproduction, reproduce
from .records.compare import compare
from .records.environment import environment
from .records.record import (
    Record,
    find_record,
    load_record,
    save_record,
    suite_entry,
    write_record,
)
from .records.rescoring import load_answers, rescore, tracks_of
from .records.schema import RecordContent
from .storage.atomic import atomic_write, explain_storage_errors
from .tasks.catalogue import TASKS, primary_score
from .tasks.condition import Condition, parse_entry
from .tasks.gap import Gap, generalisation_gaps
from .tasks.ground_truth import published_truth
from .tasks.score import Column, Score
from .tasks.scoring import ranked_by_model, score_answers, task_versions
from .tasks.tracks import Tracks
from .zoo.cache import DEFAULT_ZOO, build_zoo, home, zoo_folder
from .zoo.fresh import FreshZoo, fresh_id, fresh_seed, fresh_zoo
from .zoo.metadata import DataOrigin, ZooMetadata
from .zoo.providers import (
    BuildState,
    Progress,
    PublishedZoo,
    ZooProvider,
    provider_of,
    published_zoos,
)
from .zoo.splits import split_of_models
from .zoo.verification.verify import Check, Verification, verify_zoo
from .zoo.writer import write_zoo
from .zoo.zoo import Zoo

__version__: str

__all__ = [
    "DEFAULT_ZOO",
    "PERTURBATIONS",
    "SUITES",
    "TASKS",
    "BuildState",
    "Check",
    "Checkpoints",
    "Column",
    "Comparison",
    "Condition",
    "Convolution",
    "Cost",
    "DataError",
    "DataOrigin",
    "DownloadState",
    "Evaluation",
    "EvaluationState",
    "Finding",
    "FormatError",
    "FreshZoo",
    "Gap",
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
    "Publication",
    "PublishedZoo",
    "RecipeError",
    "Record",
    "RecordContent",
    "Reproduction",
    "Score",
    "StorageError",
    "Suite",
    "Tensor",
    "Tracks",
    "TransferError",
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
    "download_zoo",
    "environment",
    "evaluate",
    "explain_storage_errors",
    "export_checkpoint",
    "find_record",
    "find_suite",
    "fresh_id",
    "fresh_seed",
    "fresh_zoo",
    "generalisation_gaps",
    "home",
    "interval_of_difference",
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
    "publish_zoo",
    "published_truth",
    "published_zoos",
    "rank_intervals",
    "rank_text",
    "ranked_by_model",
    "reproduce",
    "rescore",
    "save_record",
    "score_answers",
    "singular_directions",
    "spectral_order",
    "split_of_models",
    "suite_entry",
    "task_versions",
    "torch_network",
    "tracks_of",
    "verify_zoo",
    "write_record",
    "write_zoo",
    "zoo_folder",
]
