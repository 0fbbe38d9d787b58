"""A tokenizer for models with random weights: byte-level BPE, trained on a few sentences in 0.1 s.

The published tokenizers belong to the published weights. A stand-in needs to get two things right: ids the
model has, and the padded length of a prompt, because that decides how long the sequences are which the
kernels work on. A text prompt comes out within about a third of its true length in tokens; a prompt of an
image model is padded to the same length as the real one.

    tokenizer = build(shape)     # a PreTrainedTokenizerFast
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, VitsTokenizer

from bench.engines.weights.architectures import TokenizerShape

_SENTENCES = (
    "Write a page of text about the history of a small town near the sea and the people who lived there.",
    "Write a letter to a friend in which you tell what you did last week, and ask how her family is.",
    "Please explain in plain words how a computer works, what it is made of and why it needs energy.",
    "Describe a day in the life of a teacher, from the early morning until late in the evening.",
    "Tell a short story for children about an old man, his dog and a long journey through the mountains.",
    "What are the most important questions which scientists should answer during the next hundred years?",
    "Give me an example of good advice for someone who wants to learn how to cook, to write or to draw.",
    "A photo of an astronaut riding a horse on the moon, highly detailed, realistic light, wide angle.",
    "An oil painting of a quiet harbour with boats at sunset, warm colours, in the style of the old masters.",
    "A watercolour illustration of a red house between green hills under a blue sky with white clouds.",
    "The first, second and third of these have been made before; others could only come with more time.",
    "Summarise the following article for a reader who does not know the subject but would like to.",
)
_VOCABULARY = 1000
_CHARACTERS = " abcdefghijklmnopqrstuvwxyz'-0123456789"
# The content of a message is a text, or (in pipelines that also take pictures) a list with texts in it.
_CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else -%}
{%- for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif -%}
<|end|>
{% endfor -%}
{%- if add_generation_prompt %}<|start|>assistant
{% endif -%}
"""
_NAMES = {"bos": "<|start|>", "eos": "<|end|>", "pad": "<|pad|>"}


def build(shape: TokenizerShape) -> Any:
    """A tokenizer with ids below `shape.vocabulary`, special ids where the model expects them."""
    if shape.style == "characters":
        return _of_characters(shape)
    if shape.style == "spm_char":
        return _of_pieces(shape)
    special = {role: shape.special.get(role, i) for i, role in enumerate(_NAMES)}
    tokenizer = _trained(shape, special)
    start, end = (f"{_NAMES[role]}" for role in ("bos", "eos"))
    if shape.style != "bpe":
        single = f"{start} $A {end}" if shape.style == "clip" else f"$A {end}"
        ids = [(_NAMES[role], special[role]) for role in ("bos", "eos")]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=ids)
    pad = next(_NAMES[role] for role in ("eos", "bos", "pad") if special[role] == special["pad"])
    built = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=start,
        eos_token=end,
        pad_token=pad,
        model_max_length=shape.max_length,
        padding_side="left" if shape.style == "bpe" else "right",
        chat_template=_CHAT_TEMPLATE,
    )
    if shape.class_name is not None:
        # A pipeline chooses padding and input by the class; what is called is the same for both.
        built.__class__ = getattr(transformers, shape.class_name)
    return built


def _of_characters(shape: TokenizerShape) -> VitsTokenizer:
    """Every character a token, with the blank (id 0) before, between and after them."""
    names = ["_", *_CHARACTERS, *(chr(0xE000 + i) for i in range(shape.vocabulary))]
    with TemporaryDirectory() as folder:
        file = Path(folder, "vocab.json")
        file.write_text(json.dumps({name: i for i, name in enumerate(names[: shape.vocabulary])}))
        return VitsTokenizer(
            str(file), pad_token="_", unk_token=" ", phonemize=False, model_max_length=shape.max_length
        )


def _of_pieces(shape: TokenizerShape) -> PreTrainedTokenizerFast:
    """Every character a token, as in SentencePiece's model of characters; a blank before, an end after."""
    pad, eos, unknown = shape.special["pad"], shape.special["eos"], "<unk>"
    named = {pad: _NAMES["pad"], eos: _NAMES["eos"]}
    free = (i for i in range(shape.vocabulary) if i not in named)
    ids = {unknown: next(free)} | {name: i for i, name in named.items()}
    ids |= dict(zip(["▁", *_CHARACTERS.strip()], free, strict=False))
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[], unk_token=unknown))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    end = _NAMES["eos"]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {end}", special_tokens=[(end, eos)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=end,
        pad_token=_NAMES["pad"],
        unk_token=unknown,
        model_max_length=shape.max_length,
    )


def _trained(shape: TokenizerShape, special: dict[str, int]) -> Tokenizer:
    """Train on the sentences, then move the tokens to ids which leave the special ones free."""
    scratch = Tokenizer(models.BPE())
    scratch.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Three ids are for the special tokens; a tiny model may have only a few hundred ids in all.
    size = min(_VOCABULARY, shape.vocabulary - len(_NAMES))
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    scratch.train_from_iterator(_SENTENCES, trainer)
    model = scratch.to_str()
    vocabulary, merges = _parts(model)
    free = (i for i in range(shape.vocabulary) if i not in special.values())
    moved = {token: next(free) for token in sorted(vocabulary, key=lambda token: vocabulary[token])}
    named: dict[int, str] = {}
    for role in ("eos", "bos", "pad"):
        named.setdefault(special[role], _NAMES[role])
    moved |= {name: number for number, name in named.items()}
    tokenizer = Tokenizer(models.BPE(vocab=moved, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(named.values()))
    return tokenizer


def _parts(serialised: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(serialised)["model"]
    return model["vocab"], [(left, right) for left, right in model["merges"]]
