"""Causal language models: loading, tokenizer and key-value cache."""
