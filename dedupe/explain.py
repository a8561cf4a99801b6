"""Why two records are one customer or not, what a cluster hangs on, what is near a record.

The functions that the command line and the review pages call. They give facts
(dedupe/explaining/facts.py); say them in a language with
``dedupe.explaining.messages.say``, as JSON with ``facts.plain``.
"""

from dedupe.explaining import cases, clusters, pairs
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import CaseFacts, Cluster, Graph, Neighbor, Pair

__all__ = [
    "CaseFacts",
    "Cluster",
    "Evidence",
    "Graph",
    "Neighbor",
    "Pair",
    "case",
    "cluster",
    "graph",
    "near",
    "pair",
]

case = cases.explain
pair = pairs.explain
cluster = clusters.explain
near = clusters.near
graph = clusters.graph
