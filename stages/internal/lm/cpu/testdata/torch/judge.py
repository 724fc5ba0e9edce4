"""Answers the Go tests: one JSON request a line on stdin, one JSON answer a line on stdout. See ../../torch_test.go."""
import array
import json
import platform
import sys

import torch

from model import Model, adamw, learning_rate


def token(p, V):  # as token in ../../torch_test.go
    return (p * p // 3 + p) % V


def batch(r, step):
    V, n = r["config"]["vocab"], r["rows"] * r["tokens"]
    at = range(step * n, step * n + n)
    ids = torch.tensor([token(p, V) for p in at]).view(r["rows"], r["tokens"])
    targets = torch.tensor([-1 if p % 11 == 5 else token(p + 1, V) for p in at]).view(r["rows"], r["tokens"])
    return ids, targets


def load(r):
    """The model with the weights of the file: float32s of all tensors of the request, one after the other, little-endian."""
    dtype = getattr(torch, r["dtype"])
    model = Model(r["config"], dtype)
    params = dict(model.named_parameters())
    want = {t["name"]: tuple(t["shape"]) for t in r["tensors"]}
    have = {name: tuple(p.shape) for name, p in params.items()}
    if want != have:
        raise ValueError(f"tensors {sorted(want.items() - have.items())} are not the model's {sorted(have.items() - want.items())}")
    data = array.array("f")
    with open(r["weights"], "rb") as f:
        data.frombytes(f.read())
    data, offset = torch.tensor(data, dtype=dtype), 0
    if r["nudge"]:
        data *= 1 + 2**-23 * torch.randint(-1, 2, data.shape, generator=torch.Generator().manual_seed(r["nudge"]))
    with torch.no_grad():
        for t in r["tensors"]:
            p = params[t["name"]]
            p.copy_(data[offset:offset + p.numel()].view(p.shape))
            offset += p.numel()
    if offset != len(data):
        raise ValueError(f"{len(data)} weights, want {offset}")
    return model


def backward(model, ids, targets):
    loss = model(ids, targets, "sum") / (targets >= 0).sum()
    loss.backward()
    return loss.item()


def train(r):
    """The mean losses of the steps and the norms of their gradients before clipping."""
    model, o = load(r), r["optimizer"]
    optimizer, losses, norms = adamw(model, o, 1.0), [], []
    for step in range(r["steps"]):
        optimizer.zero_grad(set_to_none=True)
        losses.append(backward(model, *batch(r, step)))
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), o["clip"] or float("inf")).item())
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(r["schedule"], step, r["steps"])
        optimizer.step()
    return {"losses": losses, "norms": norms}


def gradients(r):
    """The mean loss of batch 0; the gradients go to the file r["out"], float64s in the order of the request's tensors."""
    model = load(r)
    loss = backward(model, *batch(r, 0))
    params = dict(model.named_parameters())
    with open(r["out"], "wb") as f:
        for t in r["tensors"]:
            array.array("d", params[t["name"]].grad.double().flatten().tolist()).tofile(f)
    return {"losses": [loss]}


def version(_):
    return {"torch": torch.__version__, "python": platform.python_version()}


# One thread, and no order that depends on it. These models are too small for more.
torch.set_num_threads(1)
for line in sys.stdin:
    request = json.loads(line)
    answer = {"version": version, "train": train, "gradients": gradients}[request["do"]](request)
    print(json.dumps(answer), flush=True)
