"""Texts taken apart, matched and labelled by pipelines that need no download."""

import numpy as np
import pytest
import spacy
from spacy.matcher import DependencyMatcher, Matcher, PhraseMatcher
from spacy.tokens import Doc, DocBin
from spacy.training import Example


@pytest.fixture(scope="module")
def english():
    return spacy.blank("en")


def test_tokens(english):
    doc = english("Don't pay $9.99 (really) at example.com, Dr. Smith!")
    assert [token.text for token in doc] == [
        *("Do", "n't", "pay", "$", "9.99", "(", "really", ")", "at", "example.com", ",", "Dr.", "Smith", "!"),
    ]
    assert doc.text == "Don't pay $9.99 (really) at example.com, Dr. Smith!"
    assert [token.text for token in doc if token.like_num or token.like_url] == ["9.99", "example.com"]
    assert english.vocab.strings[doc[2].orth] == "pay"


def test_sentences():
    nlp = spacy.blank("de")
    nlp.add_pipe("sentencizer")
    assert [len(sentence) for sentence in nlp("Das ist einer. Das auch!").sents] == [4, 3]


def test_matchers(english):
    matcher = Matcher(english.vocab)
    matcher.add("PRICE", [[{"TEXT": "$"}, {"LIKE_NUM": True}, {"LOWER": {"REGEX": "^(us|ca)d$"}, "OP": "?"}]])
    doc = english("It costs $ 12 USD or $ 9.")
    assert {doc[start:end].text for _, start, end in matcher(doc)} == {"$ 12", "$ 12 USD", "$ 9"}
    phrases = PhraseMatcher(english.vocab, attr="LOWER")
    phrases.add("CITY", [english("New York"), english("Rome")])
    assert len(phrases(english("From new york to ROME, not York"))) == 2


def test_dependencies(english):
    words, heads, labels = ["She", "reads", "books"], [1, 1, 1], ["nsubj", "ROOT", "dobj"]
    doc = Doc(english.vocab, words=words, heads=heads, deps=labels)
    matcher = DependencyMatcher(english.vocab)
    node = {"LEFT_ID": "verb", "REL_OP": ">", "RIGHT_ID": "what", "RIGHT_ATTRS": {"DEP": "dobj"}}
    matcher.add("OBJECT", [[{"RIGHT_ID": "verb", "RIGHT_ATTRS": {"DEP": "ROOT"}}, node]])
    assert matcher(doc)[0][1] == [1, 2]
    assert [token.text for token in doc[1].lefts] == ["She"]


def test_a_pipeline_learns():
    spacy.util.fix_random_seed(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("ner")
    texts = [
        ("Anna likes Paris", ["PROPN", "VERB", "PROPN"], ["U-PER", "O", "U-LOC"]),
        ("Bob sees Rome", ["PROPN", "VERB", "PROPN"], ["U-PER", "O", "U-LOC"]),
    ]
    examples = [
        Example.from_dict(nlp.make_doc(text), {"tags": tags, "entities": entities}) for text, tags, entities in texts
    ]
    optimizer = nlp.initialize(lambda: examples)
    losses = [nlp.update(examples, sgd=optimizer) for _ in range(40)]
    assert losses[-1]["ner"] < losses[0]["ner"] / 10
    doc = nlp("Anna likes Paris")
    assert [token.tag_ for token in doc] == ["PROPN", "VERB", "PROPN"]
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("Anna", "PER"), ("Paris", "LOC")]
    again = spacy.blank("en")
    again.add_pipe("tagger")
    again.add_pipe("ner")
    again.from_bytes(nlp.to_bytes())
    assert [entity.label_ for entity in again("Anna likes Paris").ents] == ["PER", "LOC"]


def test_documents_are_kept(english):
    docs = [english("One text."), english("Another one.")]
    kept = DocBin().from_bytes(DocBin(docs=docs).to_bytes())
    assert [doc.text for doc in kept.get_docs(english.vocab)] == ["One text.", "Another one."]


def test_vectors():
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("cat", np.array([1, 0], dtype="float32"))
    nlp.vocab.set_vector("dog", np.array([1, 1], dtype="float32"))
    assert nlp("cat").similarity(nlp("dog")) == pytest.approx(0.5**0.5, abs=1e-5)
