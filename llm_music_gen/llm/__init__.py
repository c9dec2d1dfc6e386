"""Language models: found, understood, loaded, spoken to, and made to write only what may be written.

`registry` finds GGUF files and `gguf` reads what they are, without loading them; `formats` knows how each kind is prompted;
`backend.load_model` opens one through whichever llama.cpp binding is installed. Both bindings write under a
`domain.text_model.TokenConstraint` and differ only in this:

    ===================================  ==================================  =================================================
                                         llama-cpp-python (`llamacpp`)       xllamacpp (`xllamacpp`)
    ===================================  ==================================  =================================================
    installs without a compiler          no                                  yes, also on Windows
    draws tokens with                    `sampler`, from the logits          llama.cpp's samplers, allowed tokens raised
    cost of a constrained token          one mask                            one request inside the process, 0.4 to 10 ms
    repeat penalty under a constraint    yes                                 no
    prompt cache between answers         yes, in whole pieces of 32 tokens   no: a seed would lose its meaning
    same seed, same text                 on one machine, with one binding    on one machine, with one binding
    tokenizers that can be guided        all                                 byte-level BPE and SentencePiece
    ===================================  ==================================  =================================================
"""
