"""
Golden file of RWKV-7 as a whole language model: RWKV-LM's own RWKV-v7/rwkv_v7_numpy.py on random weights, under the
names that flash-linear-attention gives them.

    python3 scripts/make-rwkv7-fixture.py RWKV-LM/RWKV-v7/rwkv_v7_numpy.py fixtures/golden/rwkv7/model.safetensors

Needs numpy 2. The official file is run down to its "# Verification"; what it computes with is float64, so that the
logits are exact to float32. One head of 64 channels: the official norm's eps is that of heads of 64.
"""
import json
import struct
import sys

import numpy as np

C, HIDDEN, LAYERS, VOCABULARY, TOKENS = 64, 64, 2, 19, 40
RANKS = {"w": 6, "a": 5, "v": 4, "g": 7}
rng = np.random.default_rng(7)


def draw(*shape, scale=1.0, centre=0.0):
    """Float32 numbers, held in float64."""
    return (centre + scale * rng.standard_normal(shape)).astype(np.float32).astype(np.float64)


def lora(name, rank):
    return [draw(C, rank, scale=C**-0.5), draw(rank, C, scale=0.5)]


# In the order in which the official code takes them apart.
weights = {"emb.weight": draw(VOCABULARY, C)}
for i in range(LAYERS):
    at = f"blocks.{i}."
    for norm in ["ln0", "ln1", "ln2"][0 if i == 0 else 1 :]:
        weights |= {at + norm + ".weight": draw(C, scale=0.2, centre=1), at + norm + ".bias": draw(C, scale=0.2)}
    a = {f"x_{n}": draw(C, scale=0.3, centre=0.5) for n in "rwkvag"}
    a |= {"w0": draw(C, scale=2, centre=-3), "r_k": draw(1, 64, scale=0.1)}
    a["w1"], a["w2"] = lora("w", RANKS["w"])
    a["a1"], a["a2"] = lora("a", RANKS["a"])
    a["a0"] = draw(C)
    a["g1"], a["g2"] = lora("g", RANKS["g"])
    if i > 0:
        v1, v2 = lora("v", RANKS["v"])
        a |= {"v2": v2, "v1": v1, "v0": draw(C)}
    a |= {"k_k": draw(C, scale=0.2, centre=0.7), "k_a": draw(C, scale=0.2, centre=1)}
    for name in ["receptance", "key", "value", "output"]:
        a[name + ".weight"] = draw(C, C, scale=C**-0.5)
    a |= {"ln_x.weight": draw(C, scale=0.2, centre=1), "ln_x.bias": draw(C, scale=0.2)}
    weights |= {at + "att." + name: value for name, value in a.items()}
    weights[at + "ffn.x_k"] = draw(C, scale=0.3, centre=0.5)
    weights[at + "ffn.key.weight"] = draw(HIDDEN, C, scale=C**-0.5)
    weights[at + "ffn.value.weight"] = draw(C, HIDDEN, scale=HIDDEN**-0.5)
weights |= {"ln_out.weight": draw(C, scale=0.2, centre=1), "ln_out.bias": draw(C, scale=0.2)}
weights["head.weight"] = draw(VOCABULARY, C, scale=C**-0.5)

source = open(sys.argv[1]).read().split("# Verification")[0].replace("from torch import load as torch_load", "")
official = {"N_LAYER": LAYERS, "N_EMBD": C, "HEAD_SIZE": 64, "N_HEAD": 1}
exec(compile(source, sys.argv[1], "exec"), official)
state = (np.zeros((LAYERS, 2, C)), np.zeros((LAYERS, 1, 64, 64)))
tokens = rng.integers(0, VOCABULARY, TOKENS)
logits = []
for token in tokens:
    params = lambda prefix: [value.copy() for name, value in weights.items() if name.startswith(prefix)]
    row, state = official["RWKV7"](params, token, state)
    logits.append(row)

LORA = {"0": "lora.2.bias", "1": "lora.0.weight", "2": "lora.2.weight"}
MODULES = {"receptance": "r_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj", "ln_x": "g_norm"}
NORMS = {"ln0": "pre_norm", "ln1": "attn_norm", "ln2": "ffn_norm"}


def fla(name, value):
    """flash-linear-attention's name and shape."""
    outer = {"emb.weight": "model.embeddings.weight", "head.weight": "lm_head.weight"}
    if name in outer:
        return outer[name], value
    if name.startswith("ln_out"):
        return name.replace("ln_out", "model.norm"), value
    _, i, part, *rest = name.split(".")
    at = f"model.layers.{i}."
    if part in NORMS:
        return f"{at}{NORMS[part]}.{rest[0]}", value
    if part == "ffn":
        return f"{at}ffn.{'.'.join(rest)}", value
    if len(rest) == 1 and len(rest[0]) == 2 and rest[0][1] in LORA:
        return f"{at}attn.{rest[0][0]}_lora.{LORA[rest[0][1]]}", value.T
    if rest[0].startswith("x_"):
        return f"{at}attn.{rest[0]}", value.reshape(1, 1, C)
    return f"{at}attn.{'.'.join([MODULES.get(rest[0], rest[0]), *rest[1:]])}", value


tensors = {"input": ("F32", tokens.astype(np.float32).reshape(1, TOKENS, 1))}
tensors["output"] = ("F32", np.array(logits, dtype=np.float32).reshape(1, TOKENS, VOCABULARY))
for key, value in weights.items():
    name, shaped = fla(key, value)
    tensors["param." + name] = ("F32", np.ascontiguousarray(shaped, dtype=np.float32))
config = {"vocab_size": VOCABULARY, "hidden_size": C, "num_hidden_layers": LAYERS, "head_dim": 64}
config |= {"intermediate_size": HIDDEN, "norm_eps": 1e-5, "decay_low_rank_dim": RANKS["w"]}
config |= {"a_low_rank_dim": RANKS["a"], "v_low_rank_dim": RANKS["v"], "gate_low_rank_dim": RANKS["g"]}
header = {
    "__metadata__": {
        "source": "BlinkDL/RWKV-LM RWKV-v7/rwkv_v7_numpy.py",
        "note": "float64 on float32 weights; names of flash-linear-attention RWKV7ForCausalLM",
        "kind": "model",
        "inputs": '["input"]',
        "layout": "B,T,C",
        "causal": "true",
        "ways": '{"block": 1e-05, "step": 1e-05, "chunks": 0}',
        "config": json.dumps(config),
    }
}
at, body = 0, b""
for name, (dtype, value) in tensors.items():
    data = value.tobytes()
    header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [at, at + len(data)]}
    at, body = at + len(data), body + data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + body)
