"""The same work as bench/*.ts, by the programs that others use. Reads names of work from standard input, one a line;
answers each with `name rate` once it has done it. The first time of each is not answered: it loads and warms up.

usage: peers.py MODEL_FOLDER SHARED_FOLDER THREADS
"""

import glob
import json
import os
import sys
import time

import torch

folder, shared, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
NEW_TOKENS = 48
LAYER = 15


def lines(path):
    with open(os.path.join(shared, path)) as file:
        return [json.loads(line) for line in file if line.strip()]


def llama_file():
    return glob.glob(os.path.join(folder, "*.gguf"))[0]


def base():
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=os.path.basename(llama_file()), dtype=torch.float32, attn_implementation="eager"
    ).eval()


def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def prompt_ids(tok, messages):
    text = tok.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return tok(text, add_special_tokens=False).input_ids


def attribution():
    """Residual and its gradient at the site of both completions of 24 pairs, each sequence by itself: pairs a second."""
    from peft import PeftModel

    tok = tokenizer()
    model = PeftModel.from_pretrained(base(), os.path.join(shared, "organisms/health-advice")).merge_and_unload().eval()
    for p in model.parameters():
        p.requires_grad_(False)
    pairs = lines("golden/pairs.jsonl")[:24]
    work = [
        (prompt_ids(tok, p["prompt"]), tok(p[side], add_special_tokens=False).input_ids + [tok.eos_token_id])
        for p in pairs
        for side in ("positive", "negative")
    ]
    kept = {}

    def hook(_, __, out):
        h = (out[0] if isinstance(out, tuple) else out).detach().requires_grad_(True)
        kept["a"] = h
        return (h, *out[1:]) if isinstance(out, tuple) else h

    model.model.layers[LAYER].register_forward_hook(hook)

    def once():
        for x, y in work:
            logits = model(input_ids=torch.tensor([x + y])).logits[0]
            torch.nn.functional.cross_entropy(logits[len(x) - 1 : -1], torch.tensor(y)).backward()
            assert kept["a"].grad is not None
        return len(pairs)

    return once


SIZES = {1: (1, 1), 16: (3, 16), 64: (16, 12)}


def sampling(rows):
    """`generate` with a padded batch of `rows` rows, the prompt repeated for each of its completions: new tokens a second."""
    tok = tokenizer()
    tok.padding_side = "left"
    tok.pad_token = tok.pad_token or tok.eos_token
    model = base()
    model.generation_config.eos_token_id = None
    count, completions = SIZES[rows]
    prompts = [prompt_ids(tok, line["prompt"]) for line in lines("golden/greedy.jsonl")]
    texts = [tok.decode(ids) for ids in prompts[:count] for _ in range(completions)]

    def once():
        made = 0
        for start in range(0, len(texts), rows):
            batch = tok(texts[start : start + rows], return_tensors="pt", padding=True, add_special_tokens=False)
            with torch.no_grad():
                out = model.generate(
                    **batch,
                    do_sample=True,
                    top_k=0,
                    min_new_tokens=NEW_TOKENS,
                    max_new_tokens=NEW_TOKENS,
                    pad_token_id=tok.pad_token_id,
                )
            made += out.shape[0] * (out.shape[1] - batch.input_ids.shape[1])
        return made

    return once


D, LATENTS, BATCH, K = 576, 4096, 2048, 32


def sae_sparse():
    """A TopK training step with Adam, the decoder read at the k active rows alone: tokens a second."""
    torch.manual_seed(1)
    encoder = torch.randn(D, LATENTS, requires_grad=True)
    decoder = torch.randn(LATENTS, D, requires_grad=True)
    b_enc, b_dec = torch.zeros(LATENTS, requires_grad=True), torch.zeros(D, requires_grad=True)
    adam = torch.optim.Adam([encoder, decoder, b_enc, b_dec], lr=3e-4)
    x = torch.randn(BATCH, D)

    def once():
        for _ in range(4):
            z = torch.relu((x - b_dec) @ encoder + b_enc)
            values, indices = z.topk(K, dim=1)
            out = torch.nn.functional.embedding_bag(indices, decoder, per_sample_weights=values, mode="sum") + b_dec
            adam.zero_grad()
            ((out - x) ** 2).sum(1).mean().backward()
            adam.step()
        return 4 * BATCH

    return once


def sae_lens():
    """The same step by SAELens's TopK training class: tokens a second."""
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.saes.sae import TrainStepInput

    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=D, d_sae=LATENTS, k=K, device="cpu"))
    adam = torch.optim.Adam(sae.parameters(), lr=3e-4)
    x = torch.randn(BATCH, D)

    def once():
        for n in range(4):
            given = TrainStepInput(sae_in=x, coefficients={}, dead_neuron_mask=None, n_training_steps=n, is_logging_step=False)
            loss = sae.training_forward_pass(given).loss
            adam.zero_grad()
            loss.backward()
            adam.step()
        return 4 * BATCH

    return once


def scoring():
    """-d'Md of 262,144 latents whose decoder lies on the disk: latents a second."""
    import tempfile

    from safetensors import safe_open
    from safetensors.torch import save_file

    n = 2**18
    path = os.path.join(tempfile.mkdtemp(), "decoder.safetensors")
    save_file({"W_dec": torch.randn(n, D)}, path)
    m = torch.randn(D, D)

    def once():
        with safe_open(path, "pt") as file:
            rows = file.get_slice("W_dec")
            for start in range(0, n, 16384):
                d = rows[start : start + 16384]
                d = d / d.norm(dim=1, keepdim=True)
                -((d @ m) * d).sum(1)
        return n

    return once


def llama(rows):
    """llama.cpp on the quantised file itself, `rows` sequences in parallel: new tokens a second."""
    import threading

    import xllamacpp as llama_cpp

    params = llama_cpp.CommonParams()
    params.model.path = llama_file()
    params.n_parallel = rows
    params.n_ctx = rows * 192
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    server = llama_cpp.Server(params)
    tok = tokenizer()
    count, completions = SIZES[rows]
    prompts = [tok.decode(prompt_ids(tok, line["prompt"])) for line in lines("golden/greedy.jsonl")][:count]
    asked = [p for p in prompts for _ in range(completions)]

    def once():
        left = list(asked)
        lock = threading.Lock()

        def ask():
            while True:
                with lock:
                    if not left:
                        return
                    prompt = left.pop()
                server.handle_completions({"prompt": prompt, "max_tokens": NEW_TOKENS, "ignore_eos": True, "temperature": 1})

        workers = [threading.Thread(target=ask) for _ in range(rows)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return len(asked) * NEW_TOKENS

    return once


WORK = {
    "transformers, eager": attribution,
    **{f"transformers generate, {rows} rows": (lambda rows=rows: sampling(rows)) for rows in SIZES},
    **{f"llama.cpp, {rows} rows": (lambda rows=rows: llama(rows)) for rows in SIZES},
    "PyTorch, sparse decode": sae_sparse,
    "SAELens": sae_lens,
    "PyTorch, quadratic form": scoring,
}

opened = {}
for line in sys.stdin:
    name = line.rstrip("\n")
    if name not in opened:
        opened.clear()
        opened[name] = WORK[name]()
        opened[name]()
    start = time.perf_counter()
    units = opened[name]()
    print(json.dumps({"rate": units / (time.perf_counter() - start)}), flush=True)
