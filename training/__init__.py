"""From corpora to the built-in composer: reading tunes, training a small LLaMA, writing it as GGUF. See README.md."""
