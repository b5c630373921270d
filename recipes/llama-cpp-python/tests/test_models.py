"""llama.cpp through its bindings: a small model that is made here is read, asked and quantised."""

from __future__ import annotations

import ctypes
import math
import struct
from typing import TYPE_CHECKING

import llama_cpp
import numpy as np
import pytest
from llama_cpp import Llama, LlamaGrammar

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDING, FEED_FORWARD, HEADS = 32, 64, 4
PIECES = ["\u2581", "a", "b", "c", "\u2581a", "ab", "\u2581ab", "d", "e"]
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *PIECES]
U32, I32, F32, STRING, ARRAY = 4, 5, 6, 8, 9


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def array(kind: int, values: list[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(values)


def model(path: Path) -> Path:
    """A GGUF file (version 3) with a llama of one layer and random weights."""
    number = struct.Struct("<I").pack
    scores = [0.0] * 259 + [float(len(piece)) for piece in PIECES]
    kinds = [2, 3, 3] + [6] * 256 + [1] * len(PIECES)
    settings = {
        "general.architecture": (STRING, text("llama")),
        "llama.context_length": (U32, number(128)),
        "llama.embedding_length": (U32, number(EMBEDDING)),
        "llama.block_count": (U32, number(1)),
        "llama.feed_forward_length": (U32, number(FEED_FORWARD)),
        "llama.attention.head_count": (U32, number(HEADS)),
        "llama.attention.layer_norm_rms_epsilon": (F32, struct.pack("<f", 1e-5)),
        "tokenizer.ggml.model": (STRING, text("llama")),
        "tokenizer.ggml.tokens": (ARRAY, array(STRING, [text(token) for token in TOKENS])),
        "tokenizer.ggml.scores": (ARRAY, array(F32, [struct.pack("<f", score) for score in scores])),
        "tokenizer.ggml.token_type": (ARRAY, array(I32, [struct.pack("<i", kind) for kind in kinds])),
        "tokenizer.ggml.bos_token_id": (U32, number(1)),
        "tokenizer.ggml.eos_token_id": (U32, number(2)),
    }
    shapes = {"token_embd": (len(TOKENS), EMBEDDING), "output_norm": (EMBEDDING,), "output": (len(TOKENS), EMBEDDING)}
    shapes |= {f"blk.0.{name}": (EMBEDDING,) for name in ("attn_norm", "ffn_norm")}
    shapes |= {f"blk.0.attn_{name}": (EMBEDDING, EMBEDDING) for name in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.ffn_{name}": (FEED_FORWARD, EMBEDDING) for name in ("gate", "up")}
    shapes["blk.0.ffn_down"] = (EMBEDDING, FEED_FORWARD)
    random = np.random.default_rng(1)
    head, body = b"", b""
    for name, shape in shapes.items():
        weights = np.ones(shape) if len(shape) == 1 else random.normal(0, 0.3, shape)
        head += text(f"{name}.weight") + number(len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        head += struct.pack("<IQ", 0, len(body))
        body += weights.astype("<f4").tobytes().ljust(-(-weights.size * 4 // 32) * 32, b"\0")
    start = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(settings))
    start += b"".join(text(key) + number(kind) + value for key, (kind, value) in settings.items()) + head
    path.write_bytes(start.ljust(-(-len(start) // 32) * 32, b"\0") + body)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model(tmp_path_factory.mktemp("model") / "small.gguf")


@pytest.fixture(scope="module")
def llama(path: Path) -> Llama:
    return Llama(str(path), n_ctx=64, n_threads=2, seed=3, logits_all=True, verbose=False)


def test_the_library_says_what_it_is() -> None:
    said = llama_cpp.llama_print_system_info().decode()
    assert said.startswith("CPU")
    assert "BLAS = 1" not in said
    assert llama_cpp.llama_max_devices() >= 1


def test_tokens(llama: Llama) -> None:
    tokens = llama.tokenize(b"ab \xc3\xbc", add_bos=True)
    assert tokens[0] == 1
    assert [TOKENS[token] for token in tokens[1:]] == ["\u2581ab", "\u2581", "<0xC3>", "<0xBC>"]
    assert llama.detokenize(tokens).decode().strip() == "ab \u00fc"


def test_the_same_question_has_the_same_answer(llama: Llama) -> None:
    one = llama.create_completion("abc", max_tokens=8, temperature=0)
    other = llama.create_completion("abc", max_tokens=8, temperature=0)
    assert one["choices"][0]["text"] == other["choices"][0]["text"]
    assert one["usage"]["prompt_tokens"] == len(llama.tokenize(b"abc"))


def test_logits_are_those_of_the_weights(llama: Llama) -> None:
    llama.reset()
    llama.eval([1, 263, 264])
    logits = np.array(llama.scores[:3])
    assert logits.shape == (3, len(TOKENS))
    assert np.isfinite(logits).all()
    llama.reset()
    llama.eval([1, 263, 265])
    again = np.array(llama.scores[:3])
    assert np.allclose(logits[:2], again[:2], atol=1e-4), "what comes later changes nothing before it"
    assert not np.allclose(logits[2], again[2], atol=1e-2)


def test_a_grammar_holds_answers(llama: Llama) -> None:
    grammar = LlamaGrammar.from_string('root ::= "ab" | "cd"', verbose=False)
    made = llama.create_completion("a", max_tokens=8, temperature=1.0, grammar=grammar)
    assert made["choices"][0]["text"].strip() in {"ab", "cd"}


def test_a_state_is_kept(llama: Llama) -> None:
    llama.reset()
    llama.eval([1, 260, 261])
    state = llama.save_state()
    llama.eval([262])
    after = np.array(llama.scores[3])
    llama.load_state(state)
    llama.eval([262])
    assert np.allclose(after, llama.scores[3], atol=1e-5)


def test_embeddings(path: Path) -> None:
    embedder = Llama(str(path), n_ctx=32, embedding=True, pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN, verbose=False)
    found = np.array(embedder.embed("abc", normalize=True))
    assert found.shape == (EMBEDDING,)
    assert math.isclose(np.linalg.norm(found), 1, rel_tol=1e-4)


def test_a_model_is_quantised(path: Path, tmp_path: Path) -> None:
    made = tmp_path / "q8.gguf"
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    params.nthread = 1
    status = llama_cpp.llama_model_quantize(str(path).encode(), str(made).encode(), ctypes.byref(params))
    assert status == 0
    assert made.stat().st_size < path.stat().st_size
    small = Llama(str(made), n_ctx=32, logits_all=True, verbose=False)
    small.eval([1, 263])
    assert np.isfinite(small.scores[:2]).all()


def test_no_model(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no model")
    with pytest.raises(ValueError, match="Failed to load model"):
        Llama(str(bad), verbose=False)
