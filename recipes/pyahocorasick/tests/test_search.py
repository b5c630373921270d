"""Words found in a text, and an automaton pickled."""

import pickle

import ahocorasick


def automaton(*words):
    made = ahocorasick.Automaton()
    for word in words:
        made.add_word(word, word.upper())
    made.make_automaton()
    return made


def test_overlapping_words():
    found = list(automaton("he", "she", "hers", "his").iter("ushers"))
    assert found == [(3, "SHE"), (3, "HE"), (5, "HERS")]


def test_longest_words():
    assert list(automaton("he", "hers").iter_long("hershe")) == [(3, "HERS"), (5, "HE")]


def test_pickle():
    again = pickle.loads(pickle.dumps(automaton("smör", "bröd")))  # noqa: S301 - of our own making
    assert sorted(again.keys()) == ["bröd", "smör"]
    assert again.get("bröd") == "BRÖD"
