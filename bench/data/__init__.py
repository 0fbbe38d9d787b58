"""Facts with their sources: prompts, model architectures, factors. No code."""
