"""The glue between the packages: one function per stage, the same for Dagster and for tests.

Every stage can be killed at any moment and run again: what it writes is one
renamed file or one transaction, named by (or stored with) the fingerprint of
all that it depends on. A stage that finds its fingerprint there already
computes and writes nothing. No Dagster here.
"""

from pipelines.stages.applying import Waiting, apply, waiting
from pipelines.stages.deployment import Deployment, check_settings
from pipelines.stages.erasing import opened
from pipelines.stages.invariants import (
    READABLE,
    accounting,
    canonical,
    clustering_checks,
    declarations,
    orphans,
    published_checks,
)
from pipelines.stages.matching import candidates, clusters, known_labels, scored_pairs, train
from pipelines.stages.noting import note_golden, note_source
from pipelines.stages.publishing import held_back, publish
from pipelines.stages.quality import measure
from pipelines.stages.rehearsing import rehearse, varied
from pipelines.stages.replaying import replay
from pipelines.stages.samples import golden_sample, quarantine_counts, sample, staged_sample
from pipelines.stages.sources import stage, sync

__all__ = [
    "READABLE",
    "Deployment",
    "Waiting",
    "accounting",
    "apply",
    "candidates",
    "canonical",
    "check_settings",
    "clustering_checks",
    "clusters",
    "declarations",
    "golden_sample",
    "held_back",
    "known_labels",
    "measure",
    "note_golden",
    "note_source",
    "opened",
    "orphans",
    "publish",
    "published_checks",
    "quarantine_counts",
    "rehearse",
    "replay",
    "sample",
    "scored_pairs",
    "stage",
    "staged_sample",
    "sync",
    "train",
    "varied",
    "waiting",
]
