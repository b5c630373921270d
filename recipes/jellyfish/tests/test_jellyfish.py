"""Distances and sounds, in compiled code."""

import jellyfish


def test_distances():
    assert jellyfish.levenshtein_distance("jellyfish", "smellyfish") == 2
    assert jellyfish.damerau_levenshtein_distance("jellyfihs", "jellyfish") == 1
    assert jellyfish.hamming_distance("karolin", "kathrin") == 3


def test_sounds():
    assert (jellyfish.metaphone("Jellyfish"), jellyfish.soundex("Jellyfish")) == ("JLFX", "J412")
    assert jellyfish.nysiis("Jellyfish") == "JALYF"
