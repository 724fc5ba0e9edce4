"""Writes reference.json, what scipy says about fixed inputs. Run: python3 reference.py (numpy, scipy).

The draws are those of the Go code: PCG-DXSM (Go's math/rand/v2, NewPCG) and the high word of a product with n, so that intervals and
p-values by resampling agree to rounding and not only to resampling error. Statistics are rounded to 12 digits before scipy counts ties among
them: sums in another order differ in their last bits.
"""

import json
import math
import os

import numpy as np
import scipy
from scipy import optimize, stats
from scipy.stats import _resampling

MASK64, MASK128 = (1 << 64) - 1, (1 << 128) - 1


class PCG:
    def __init__(self, seed, stream):
        self.state = seed << 64 | stream

    def below(self, n):
        self.state = (self.state * 0x2360ED051FC65DA44385DF649FCCF645 + 0x5851F42D4C957F2D14057B7EF767814F) & MASK128
        hi, lo = self.state >> 64, self.state & MASK64
        hi ^= hi >> 32
        hi = hi * 0xDA942042E4DD58B5 & MASK64
        hi ^= hi >> 48
        hi = hi * (lo | 1) & MASK64
        return hi * n >> 64


def statistic(name):
    f = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[name]

    def value(x, y):
        if len(set(x)) < 2 or len(set(y)) < 2:
            return math.nan
        return round(float(f(x, y)[0]), 12)

    return value


def intervals(x, y, f, resamples, level, seed):
    rng, n = PCG(seed, int.from_bytes(b"bootstrp", "big")), len(x)
    drawn = []
    while len(drawn) < resamples:
        i = [rng.below(n) for _ in range(n)]
        if not math.isnan(f(x[i], y[i])):
            drawn.append(i)
    # scipy resamples positions when samples are paired.
    _resampling._bootstrap_resample = lambda sample, n_resamples, random_state: sample[..., np.array(drawn)]
    out = {}
    for method in ["percentile", "BCa"]:
        b = stats.bootstrap((x, y), f, paired=True, vectorized=False, n_resamples=resamples, confidence_level=level, method=method)
        out[method.lower()] = [float(b.confidence_interval.low), float(b.confidence_interval.high)]
    return out


def p_value(x, y, f, rounds, seed):
    if math.factorial(len(x)) <= rounds:
        test = stats.permutation_test((y,), lambda y: f(x, y), permutation_type="pairings", alternative="greater", n_resamples=np.inf)
        return float(test.pvalue)
    rng, dealt, hits = PCG(seed, int.from_bytes(b"permutat", "big")), y.copy(), 0
    for _ in range(rounds):
        for i in range(len(dealt) - 1, 0, -1):
            k = rng.below(i + 1)
            dealt[i], dealt[k] = dealt[k], dealt[i]
        hits += f(x, dealt) >= f(x, y)
    return (hits + 1) / (rounds + 1)


def student(df, p):
    """The quantile of Student's t. stats.t.ppf is good to nine digits only (tan(0.4 pi) = 3.0776835371752534 for df = 1, p = 0.9)."""
    return float(optimize.brentq(lambda t: stats.t.cdf(t, df) - p, 0, 1000, xtol=1e-14, rtol=1e-15))


def line(x, y, at, level):
    r, n = stats.linregress(x, y), len(x)
    residuals = y - r.intercept - r.slope * x
    sd = math.sqrt(residuals @ residuals / (n - 2))
    t = student(n - 2, (1 + level) / 2)
    squares = ((x - x.mean()) ** 2).sum()
    left = []
    for i in range(n):  # fitted anew without each
        keep = np.arange(n) != i
        q = stats.linregress(x[keep], y[keep])
        left.append(y[i] - q.intercept - q.slope * x[i])
    half = [t * sd * math.sqrt(1 + 1 / n + (v - x.mean()) ** 2 / squares) for v in at]
    value = [float(r.intercept + r.slope * v) for v in at]
    return {
        "slope": float(r.slope), "intercept": float(r.intercept), "sd": sd, "left": float(np.sqrt(np.mean(np.square(left)))),
        "at": at, "value": value, "low": [v - h for v, h in zip(value, half)], "high": [v + h for v, h in zip(value, half)],
    }


def noise(groups, scores, level):
    within = sum((np.var(g, ddof=1) * (len(g) - 1) for g in groups), 0.0)
    df = sum(len(g) - 1 for g in groups)
    sd = math.sqrt(within / df)
    return {
        "groups": groups, "scores": scores, "sd": sd, "df": df, "least": student(df, (1 + level) / 2) * sd * math.sqrt(2),
        "ceiling": math.sqrt(1 - sd**2 / np.var(scores, ddof=1)),
    }


def made(n, slope, spread, seed):
    rng = PCG(seed, 0)
    x = [round(30 + 20 * rng.below(10**6) / 10**6, 3) for _ in range(n)]
    return x, [round(5 + slope * v + spread * (rng.below(10**6) / 10**6 - 0.5), 3) for v in x]


def main():
    cases = {
        "plain": ([41.2, 39.8, 44.1, 40.3, 47.9, 42.2, 45.0, 43.3, 46.1, 40.9, 42.8, 44.7],
                  [38.9, 38.1, 41.7, 38.0, 43.9, 40.1, 40.8, 41.9, 42.2, 39.9, 38.8, 42.5]),
        "ties in both": ([1, 2, 2, 3, 3, 3, 4, 5], [1, 1, 2, 2, 3, 5, 4, 4]),
        "falling": ([1, 2, 3, 4, 5], [10, 7, 7.5, 3, 1]),
        "seven": ([41.2, 39.8, 44.1, 40.3, 47.9, 42.2, 45.0], [38.9, 38.1, 41.7, 38.0, 43.9, 40.1, 40.8]),
        "weak": made(20, 0.1, 20, 5),
        "strong": made(50, 0.8, 6, 6),
        "one far": ([1, 2, 3, 4, 5, 40], [3, 1, 2, 3, 1, 30]),
    }
    out = {"scipy": scipy.__version__, "resamples": 400, "rounds": 999, "level": 0.9, "seed": 7, "cases": []}
    for name, (x, y) in cases.items():
        x, y = np.array(x, float), np.array(y, float)
        case = {"name": name, "x": x.tolist(), "y": y.tolist(), "ranks": stats.rankdata(x).tolist()}
        for s in ["pearson", "spearman", "kendall"]:
            f = statistic(s)
            keep = [np.arange(len(x)) != i for i in range(len(x))]
            case[s] = {"value": f(x, y), "p": p_value(x, y, f, out["rounds"], out["seed"]), "without": [f(x[k], y[k]) for k in keep]}
            case[s] |= intervals(x, y, f, out["resamples"], out["level"], out["seed"])
        case["line"] = line(x, y, [float(x.min() - 1), float(np.median(x)), float(x.max() + 5)], out["level"])
        out["cases"].append(case)
    out["noise"] = noise([[3.01, 3.05, 2.98], [2.71, 2.74], [3.33, 3.31, 3.36, 3.30]], [3.01, 2.71, 3.33, 2.9, 3.1, 2.5], out["level"])
    out["student"] = [{"df": d, "p": p, "t": student(d, p)} for d in [1, 2, 5, 12, 48] for p in [0.55, 0.9, 0.95, 0.975, 0.995]]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json")
    with open(path, "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


main()
