"""The vocabulary of models with random weights: control tokens, bytes, a few letters, and unused pieces."""


def add_vocabulary(w, size):
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"] + [f"<0x{i:02X}>" for i in range(256)]
    types = [3, 3, 3, 2, 3, 3] + [6] * 256
    pieces = ["\n", "\u2581"] + [chr(c) for c in range(ord("a"), ord("z") + 1)]
    rest = size - len(tokens) - len(pieces)
    w.add_tokenizer_model("llama")
    w.add_token_list(tokens + pieces + [f"<unused{i}>" for i in range(rest)])
    w.add_token_scores([-float(i) for i in range(size)])
    w.add_token_types(types + [1] * len(pieces) + [5] * rest)
    w.add_bos_token_id(2)
    w.add_eos_token_id(1)
    w.add_unk_token_id(3)
    w.add_pad_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_space_prefix(False)
