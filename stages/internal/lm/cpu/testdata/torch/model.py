"""The model of package lm a second time, in PyTorch: torch.nn, torch.nn.functional and autograd. It shares nothing with the engine but the
names of the tensors and the meaning of the configuration's fields (../../config.go). Runs on PyTorch 1.13 and 2.x, which take the same
path except where 2.x has something faster: fused attention, fused RMSNorm, bias-free LayerNorm.

B sequences, T tokens each, C channels, H heads of D channels, V words, as in the package comment of lm."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.rms, self.eps, self.shape = cfg["norm"] == "rmsnorm", cfg["norm_eps"], (cfg["d_model"],)
        self.weight = nn.Parameter(torch.ones(self.shape))
        self.bias = nn.Parameter(torch.zeros(self.shape)) if cfg["norm_bias"] else None

    def forward(self, x):
        if not self.rms:
            return F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)
        if hasattr(F, "rms_norm"):
            y = F.rms_norm(x, self.shape, self.weight, self.eps)
        else:
            y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight
        return y if self.bias is None else y + self.bias


class Rope(nn.Module):
    """Turns the first `turned` channels of each head, channel i with channel i + turned/2 (GPT-NeoX), by position * base^(-2i/turned).
    The table is made in float64 and rounded once."""

    def __init__(self, cfg, dtype):
        super().__init__()
        D = cfg["d_model"] // cfg["heads"]
        self.turned = round(D * cfg.get("rotary", 1))
        self.whole = self.turned == D
        angle = torch.outer(
            torch.arange(cfg["context"], dtype=torch.float64),
            cfg["rope_base"] ** (-torch.arange(0, self.turned, 2, dtype=torch.float64) / self.turned),
        )
        self.register_buffer("cos", angle.cos().to(dtype), persistent=False)  # (T, turned/2)
        self.register_buffer("sin", angle.sin().to(dtype), persistent=False)

    def forward(self, x):  # (..., T, D)
        T = x.shape[-2]
        cos, sin = self.cos[:T], self.sin[:T]
        if self.whole:
            a, b = x.chunk(2, -1)
            return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)
        a, b, rest = x.split((self.turned // 2, self.turned // 2, x.shape[-1] - self.turned), -1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin, rest), -1)


def attend(q, k, v):  # each (B, H, T, D)
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    T, D = q.shape[-2:]
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    scores = torch.matmul(q * (1 / math.sqrt(D)), k.transpose(-1, -2))
    return torch.matmul(scores.masked_fill_(future, -math.inf).softmax(-1), v)


class Block(nn.Module):
    def __init__(self, cfg, rope):
        super().__init__()
        C, hidden, bias = cfg["d_model"], cfg["mlp_hidden"], cfg["linear_bias"]
        self.kind, self.swiglu, self.H = cfg["block"], cfg["mlp"] == "swiglu", cfg["heads"]
        self.rope = [rope]  # one for all layers; in a list, so that it is not a child of each
        self.attn_norm = Norm(cfg)
        self.att_proj = nn.Linear(C, 3 * C, bias=bias)
        self.q_norm = Norm(cfg) if cfg["qk_norm"] else None
        self.k_norm = Norm(cfg) if cfg["qk_norm"] else None
        self.attn_out = nn.Linear(C, C, bias=bias) if cfg["attention_output"] else None
        self.ff_norm = Norm(cfg) if self.kind != "parallel" else None
        self.ff_proj = nn.Linear(C, hidden, bias=bias)
        self.ff_out = nn.Linear(hidden // 2 if self.swiglu else hidden, C, bias=bias)

    def attention(self, h):
        B, T, C = h.shape
        q, k, v = self.att_proj(h).split(C, -1)
        if self.q_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        q, k, v = (x.view(B, T, self.H, C // self.H).transpose(1, 2) for x in (q, k, v))
        y = attend(self.rope[0](q), self.rope[0](k), v).transpose(1, 2).reshape(B, T, C)
        return y if self.attn_out is None else self.attn_out(y)

    def mlp(self, h):
        u = self.ff_proj(h)
        if self.swiglu:
            value, gate = u.chunk(2, -1)
            return self.ff_out(value * F.silu(gate))
        return self.ff_out(F.gelu(u, approximate="tanh"))

    def forward(self, x):
        h = self.attn_norm(x)
        if self.kind == "parallel":  # one norm for both
            return x + self.attention(h) + self.mlp(h)
        if self.kind == "neox":  # each its own norm, both of x
            return x + self.attention(h) + self.mlp(self.ff_norm(x))
        x = x + self.attention(h)
        return x + self.mlp(self.ff_norm(x))


class Model(nn.Module):
    def __init__(self, cfg, dtype=torch.float32):
        super().__init__()
        if cfg["block"] not in ("sequential", "parallel", "neox"):
            raise ValueError(f"block is {cfg['block']!r}, which this script does not know")
        self.wte = nn.Embedding(cfg["vocab"], cfg["d_model"])
        rope = Rope(cfg, dtype)
        self.blocks = nn.ModuleList(Block(cfg, rope) for _ in range(cfg["layers"]))
        self.ln_f = Norm(cfg)
        self.head = None if cfg["tied_head"] else nn.Linear(cfg["d_model"], cfg["vocab"], bias=False)
        self.to(dtype)

    def forward(self, ids, targets, reduction):
        """ids, targets (B, T) -> nats: their sum, or (B*T) of them with reduction "none"; a negative target has none."""
        x = self.wte(ids)
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight if self.head is None else self.head.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction=reduction)


def learning_rate(schedule, step, total):
    """Of step 0, 1, ..., total-1: a linear rise over the warm-up, then from lr to final_lr, which the last step has."""
    peak, final, warmup, kind = schedule["lr"], schedule["final_lr"], schedule["warmup"], schedule["kind"]
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step + 1 - warmup) / (total - warmup)
    return {
        "constant": peak,
        "linear": peak * (1 - done) + final * done,
        "cosine": final + (peak - final) * (1 + math.cos(math.pi * done)) / 2,
    }[kind]


def adamw(model, o, lr, **how):
    return torch.optim.AdamW(
        model.parameters(), lr=lr, betas=(o["beta1"], o["beta2"]), eps=o["eps"], weight_decay=o["weight_decay"], **how)
