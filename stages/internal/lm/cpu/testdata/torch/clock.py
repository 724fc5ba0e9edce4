"""Times training and evaluation for BenchmarkTorch: one JSON request a line on stdin, one JSON answer a line on stdout."""
import json
import sys
import time

import torch

from model import Model, adamw


class Trial:
    """A model and its batch, ready to be timed, the way a reader of PyTorch's guides would do it: fused attention and a fused optimizer where
    there are any, gradients dropped rather than zeroed, torch.compile for the fixed shape if asked for."""

    def __init__(self, r):
        torch.manual_seed(1)
        torch.set_num_threads(r["threads"])
        self.tokens = r["rows"] * r["config"]["context"]
        self.ids, self.targets = torch.randint(r["config"]["vocab"], (2, r["rows"], r["config"]["context"]))
        self.model = self.forward = Model(r["config"])
        # As Init. PyTorch's own embeddings are 50 times as large; with a tied head their softmax is all denormal numbers, which are slow.
        for p in self.model.parameters():
            if p.dim() == 2:
                torch.nn.init.normal_(p, std=r["config"]["init_std"])
        if r["compiled"]:
            self.forward = torch.compile(self.model, dynamic=False)
        self.params, self.clip = list(self.model.parameters()), r["optimizer"]["clip"]
        try:
            self.optimizer = adamw(self.model, r["optimizer"], r["lr"], fused=True)  # on the CPU from 2.4 on
        except (TypeError, RuntimeError):
            self.optimizer = adamw(self.model, r["optimizer"], r["lr"])
        self.bf16 = r["precision"] == "bf16"

    def loss(self, reduction):
        if not self.bf16:
            return self.forward(self.ids, self.targets, reduction)
        with torch.autocast("cpu", torch.bfloat16):
            return self.forward(self.ids, self.targets, reduction)

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        (self.loss("sum") * (1 / self.tokens)).backward()
        torch.nn.utils.clip_grad_norm_(self.params, self.clip)
        self.optimizer.step()

    def evaluate(self):
        with torch.inference_mode():
            self.loss("none")


def measure(f, seconds):
    """Runs f for at least so many seconds of processor time; the mean of a run, by the clock and by processor time."""
    start, cpu, runs = time.perf_counter(), time.process_time(), 0
    while runs == 0 or time.process_time() - cpu < seconds:
        f()
        runs += 1
    return {"wall": (time.perf_counter() - start) / runs, "cpu": (time.process_time() - cpu) / runs}


def product(r):
    """A matrix product of one thread."""
    torch.set_num_threads(1)
    a = torch.randn(768, 768)
    torch.mm(a, a)
    return measure(lambda: torch.mm(a, a), r["seconds"])


def about(_):
    openblas = "BLAS_INFO=mkl" not in torch.__config__.show()  # or any BLAS that heeds none of OpenBLAS's variables
    return {"torch": torch.__version__, "openblas": openblas, "compiles": hasattr(torch, "compile")}


trial = None
for line in sys.stdin:
    r = json.loads(line)
    answer = {}
    if r["do"] == "about":
        answer = about(r)
    elif r["do"] == "product":
        answer = product(r)
    elif r["do"] == "ready":
        trial = Trial(r)
        for _ in range(2):  # the second finds its memory
            trial.train()
            trial.evaluate()
    else:
        answer = measure({"train": trial.train, "evaluate": trial.evaluate}[r["do"]], r["seconds"])
    print(json.dumps(answer), flush=True)
