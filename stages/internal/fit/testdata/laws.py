"""Writes laws.json: 40 runs of 4 sources, and what numpy and scipy make of them. `python laws.py > laws.json`, with numpy 2 and scipy 1.

The laws are computed by other methods than in package fit: least squares by singular values, the others by scipy's optimizers
from many starts.
"""
import json
import numpy as np
from scipy.optimize import minimize

rng = np.random.default_rng(17)
n, m = 40, 4
x = rng.dirichlet(np.full(m, 0.8), n).round(3)
x[:, -1] = (1 - x[:, :-1].sum(axis=1)).round(3)
y = (np.exp(1.0) + np.exp(x @ [0.9, -1.5, 0.2, 0.5]) + 0.05 * rng.standard_normal(n)).round(6)
y[7] += 1.5  # an outlier, which Huber's loss bounds
w = rng.choice([1.0, 0.25], n)
new = rng.dirichlet(np.ones(m), 5).round(3)
new[:, -1] = (1 - new[:, :-1].sum(axis=1)).round(3)
v = w * n / w.sum()


def squares(rows):
    return np.linalg.lstsq(rows * np.sqrt(v)[:, None], y * np.sqrt(v), rcond=None)[0]


def quadratic(a):
    return np.array([np.r_[r, [r[j] * r[k] for j in range(m) for k in range(j)]] for r in a])


def huber(p, delta):
    e = np.exp(x @ p[1:])
    r = np.exp(p[0]) + e - y
    a = abs(r)
    g = v * np.clip(r, -delta, delta)
    return (v * np.where(a <= delta, r * r / 2, delta * (a - delta / 2))).sum(), np.r_[g.sum() * np.exp(p[0]), x.T @ (g * e)]


def loglinear(delta):
    fits = [minimize(huber, np.r_[c, rng.standard_normal(m)], args=(delta,), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
            for c in np.linspace(-1, 1.5, 30)]
    return min(fits, key=lambda f: f.fun)


mean = (v * y).sum() / n
sd = np.sqrt((v * (y - mean) ** 2).sum() / n)
z = (y - mean) / sd
d2 = ((x[:, None] - x[None]) ** 2).sum(axis=2)
pairs = np.sort(d2[np.tril_indices(n, -1)])
median = np.log(pairs[len(pairs) // 2]) / 2


def likelihood(at):
    k = np.exp(-d2 / 2 / np.exp(2 * at[0])) + np.diag((1e-6 + np.exp(at[1])) / v)
    fit = z @ np.linalg.solve(k, z) / n
    return n / 2 * np.log(fit) + np.linalg.slogdet(k)[1] / 2 + (at[0] - median) ** 2 / 2 + ((at[1] - np.log(0.1)) / 3) ** 2 / 2


best = min((minimize(likelihood, [a, b], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000})
            for a in (-2, 0, 1) for b in (-6, -2, 0)), key=lambda f: f.fun)
length, noise = np.exp(best.x[0]), 1e-6 + np.exp(best.x[1])
alpha = np.linalg.solve(np.exp(-d2 / 2 / length**2) + np.diag(noise / v), z)
gp = mean + sd * np.exp(-((new[:, None] - x[None]) ** 2).sum(axis=2) / 2 / length**2) @ alpha

laws = {"linear": {"predictions": list(new @ squares(x))}, "quadratic": {"predictions": list(quadratic(new) @ squares(quadratic(x)))},
        "gp": {"predictions": list(gp), "length": length, "noise": noise}}
for name, delta in ("huber", 0.02), ("wide", 1e6):
    f = loglinear(delta)
    laws[name] = {"predictions": list(np.exp(f.x[0]) + np.exp(new @ f.x[1:])), "delta": delta, "loss": f.fun}
print(json.dumps({"shares": x.tolist(), "scores": y.tolist(), "variance": list(1 / w), "new": new.tolist(), "laws": laws}))
