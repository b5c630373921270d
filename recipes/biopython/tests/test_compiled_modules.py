"""Sequences aligned and structures searched by the modules in C."""

from io import StringIO

import numpy as np
from Bio import Align, Cluster, motifs
from Bio.Align import substitution_matrices
from Bio.Nexus import Nexus
from Bio.PDB.kdtrees import KDTree
from Bio.Seq import Seq


def test_alignments():
    aligner = Align.PairwiseAligner(mode="global", match_score=1, mismatch_score=-1, gap_score=-1)
    assert aligner.algorithm == "Needleman-Wunsch"
    alignments = aligner.align("GATTACA", "GCATGCT")
    assert aligner.score("GATTACA", "GCATGCT") == alignments.score == 0
    best = alignments[0]
    assert best.coordinates[:, -1].tolist() == [7, 7]
    assert best.counts().identities == 4


def test_local_alignment_with_a_matrix():
    aligner = Align.PairwiseAligner(mode="local", open_gap_score=-10, extend_gap_score=-0.5)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    assert aligner.score("LSPADKTNVKAA", "PEEKSAV") == 16
    assert aligner.align("AAAA", "WWAAWW")[0].aligned.tolist() == [[[0, 2]], [[2, 4]]]


def test_codons():
    aligner = Align.CodonAligner()
    assert aligner.score(Seq("MK"), Seq("ATGAAA")) > aligner.score(Seq("MK"), Seq("ATGCCC"))


def test_clusters():
    data = np.array([[0.0, 0.1], [0.1, 0.0], [9.0, 9.1], [9.1, 9.0]])
    labels, _error, _found = Cluster.kcluster(data, nclusters=2, npass=10)
    assert labels[0] == labels[1] != labels[2] == labels[3]
    tree = Cluster.treecluster(data, method="m")
    assert sorted({tree[0].left, tree[0].right}) in ([0, 1], [2, 3])


def test_neighbours():
    points = np.random.default_rng(1).random((200, 3))
    found = {point.index for point in KDTree(points, 10).search(points[0], 0.3)}
    assert found == set(np.nonzero(np.linalg.norm(points - points[0], axis=1) <= 0.3)[0])
    assert 1 < len(found) < 200


def test_motifs():
    motif = motifs.create([Seq("TACAA"), Seq("TACGC"), Seq("TACAC")])
    scores = motif.counts.normalize(pseudocounts=0.5).log_odds().calculate(Seq("GGTACAAGG"))
    assert scores.argmax() == 2


def test_nexus():
    nexus = Nexus.Nexus(
        StringIO(
            "#NEXUS\nbegin data; [a comment]\ndimensions ntax=2 nchar=4;\n"
            "format datatype=dna;\nmatrix\none ACGT\ntwo AC-T\n;\nend;"
        )
    )
    assert str(nexus.matrix["two"]) == "AC-T"
