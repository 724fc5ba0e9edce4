package cpu

import (
	"math"
	"slices"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
)

// This file is the model a second time, in float64, scalar by scalar, with reverse-mode
// differentiation by a tape of scalar operations. It shares no code and no formula of a derivative
// with the engine: the only derivatives in it are those of +, *, exp, log and x^p.

// tape records scalar operations; a scalar is an index into it.
type tape struct {
	val, grad []float64
	arg       [][2]int32
	partial   [][2]float64
}

type scalar = int32

func (t *tape) push(v float64, a scalar, da float64, b scalar, db float64) scalar {
	t.val = append(t.val, v)
	t.arg = append(t.arg, [2]int32{a, b})
	t.partial = append(t.partial, [2]float64{da, db})
	return scalar(len(t.val) - 1)
}

func (t *tape) leaf(v float64) scalar            { return t.push(v, 0, 0, 0, 0) }
func (t *tape) add(a, b scalar) scalar           { return t.push(t.val[a]+t.val[b], a, 1, b, 1) }
func (t *tape) mul(a, b scalar) scalar           { return t.push(t.val[a]*t.val[b], a, t.val[b], b, t.val[a]) }
func (t *tape) scale(a scalar, k float64) scalar { return t.push(t.val[a]*k, a, k, 0, 0) }
func (t *tape) shift(a scalar, k float64) scalar { return t.push(t.val[a]+k, a, 1, 0, 0) }
func (t *tape) exp(a scalar) scalar              { e := math.Exp(t.val[a]); return t.push(e, a, e, 0, 0) }
func (t *tape) log(a scalar) scalar              { return t.push(math.Log(t.val[a]), a, 1/t.val[a], 0, 0) }
func (t *tape) pow(a scalar, p float64) scalar {
	return t.push(math.Pow(t.val[a], p), a, p*math.Pow(t.val[a], p-1), 0, 0)
}

func (t *tape) sum(xs []scalar) scalar {
	s := xs[0]
	for _, x := range xs[1:] {
		s = t.add(s, x)
	}
	return s
}

func (t *tape) dot(a, b []scalar) scalar {
	products := make([]scalar, len(a))
	for i := range a {
		products[i] = t.mul(a[i], b[i])
	}
	return t.sum(products)
}

func (t *tape) backward(from scalar) {
	t.grad = make([]float64, len(t.val))
	t.grad[from] = 1
	for i := int(from); i >= 0; i-- {
		for j := range 2 {
			t.grad[t.arg[i][j]] += t.partial[i][j] * t.grad[i]
		}
	}
}

// sigmoid is 1/(1+exp(-x)).
func (t *tape) sigmoid(x scalar) scalar { return t.pow(t.shift(t.exp(t.scale(x, -1)), 1), -1) }

// reference is the model over float64 parameters by name.
type reference struct {
	*tape
	cfg    arch.Model
	param  map[string][]scalar
	zero   scalar
	values map[string][]float64
}

// newReference copies an engine's parameters.
func newReference(cfg arch.Model, tensors []lm.Tensor) *reference {
	r := &reference{cfg: cfg, values: map[string][]float64{}}
	for _, t := range tensors {
		for _, x := range t.Data {
			r.values[t.Name] = append(r.values[t.Name], float64(x))
		}
	}
	return r
}

// run returns the nats of each token and, unless scale is 0, leaves the gradient of scale * sum in
// r.gradient.
func (r *reference) run(inputs, targets []int32, B, T int, scale float64) []float64 {
	r.tape = &tape{}
	r.zero = r.leaf(0)
	r.param = map[string][]scalar{}
	for _, s := range r.cfg.Tensors() {
		for _, x := range r.values[s.Name] {
			r.param[s.Name] = append(r.param[s.Name], r.leaf(x))
		}
	}
	head := r.param["head.weight"]
	if r.cfg.TiedHead {
		head = r.param["wte.weight"]
	}
	nats := make([]float64, B*T)
	total := r.zero
	for b := range B {
		for t, h := range r.sequence(inputs[b*T : (b+1)*T]) {
			target := targets[b*T+t]
			if target < 0 {
				continue
			}
			logits := r.linear(h, head, nil)
			terms := make([]scalar, len(logits))
			for i, l := range logits {
				terms[i] = r.exp(l)
			}
			loss := r.add(r.log(r.sum(terms)), r.tape.scale(logits[target], -1))
			nats[b*T+t] = r.val[loss]
			total = r.add(total, loss)
		}
	}
	r.backward(r.tape.scale(total, scale))
	return nats
}

func (r *reference) gradient(name string) []float64 {
	g := make([]float64, len(r.param[name]))
	for i, s := range r.param[name] {
		g[i] = r.grad[s]
	}
	return g
}

// sequence returns the final normed states of one row of tokens.
func (r *reference) sequence(ids []int32) [][]scalar {
	C := r.cfg.DModel
	x := make([][]scalar, len(ids))
	for t, id := range ids {
		x[t] = r.param["wte.weight"][int(id)*C : (int(id)+1)*C]
	}
	for l := range r.cfg.Layers {
		name := "blocks." + string(rune('0'+l)) + "."
		normed := func(norm string, x [][]scalar) [][]scalar {
			return r.each(x, func(v []scalar) []scalar { return r.norm(name+norm, v) })
		}
		mlp := func(h [][]scalar) [][]scalar { return r.each(h, func(v []scalar) []scalar { return r.mlp(name, v) }) }
		h := normed("attn_norm", x)
		a := r.attention(name, h)
		switch r.cfg.Block {
		case arch.Sequential:
			x = r.plus(x, a)
			x = r.plus(x, mlp(normed("ff_norm", x)))
		case arch.Parallel:
			x = r.plus(r.plus(x, a), mlp(h))
		case arch.NeoX:
			x = r.plus(r.plus(x, a), mlp(normed("ff_norm", x)))
		}
	}
	return r.each(x, func(v []scalar) []scalar { return r.norm("ln_f", v) })
}

func (r *reference) each(x [][]scalar, f func([]scalar) []scalar) [][]scalar {
	y := make([][]scalar, len(x))
	for i := range x {
		y[i] = f(x[i])
	}
	return y
}

func (r *reference) plus(x, y [][]scalar) [][]scalar {
	z := make([][]scalar, len(x))
	for i := range x {
		for j := range x[i] {
			z[i] = append(z[i], r.add(x[i][j], y[i][j]))
		}
	}
	return z
}

func (r *reference) linear(x, w, b []scalar) []scalar {
	y := make([]scalar, len(w)/len(x))
	for i := range y {
		y[i] = r.dot(x, w[i*len(x):(i+1)*len(x)])
		if b != nil {
			y[i] = r.add(y[i], b[i])
		}
	}
	return y
}

func (r *reference) layer(name string, x []scalar) []scalar {
	return r.linear(x, r.param[name+".weight"], r.param[name+".bias"])
}

func (r *reference) norm(name string, x []scalar) []scalar {
	n := 1 / float64(len(x))
	centred := x
	if r.cfg.Norm == arch.LayerNorm {
		mean := r.tape.scale(r.sum(x), -n)
		centred = make([]scalar, len(x))
		for i := range x {
			centred[i] = r.add(x[i], mean)
		}
	}
	rstd := r.pow(r.shift(r.tape.scale(r.dot(centred, centred), n), r.cfg.NormEps), -0.5)
	y := make([]scalar, len(x))
	for i := range x {
		y[i] = r.mul(r.mul(centred[i], rstd), r.param[name+".weight"][i])
		if r.cfg.NormBias {
			y[i] = r.add(y[i], r.param[name+".bias"][i])
		}
	}
	return y
}

// rotate is RoPE of one row of heads at position t: the first channels of each head turn, the rest
// pass.
func (r *reference) rotate(x []scalar, t int) []scalar {
	D := r.cfg.DModel / r.cfg.Heads
	turned := int(math.Round(float64(r.cfg.Rotary) * float64(D)))
	half := turned / 2
	y := slices.Clone(x)
	for h := 0; h < len(x); h += D {
		for i := range half {
			angle := float64(t) * math.Pow(r.cfg.RopeBase, -2*float64(i)/float64(turned))
			a, b := x[h+i], x[h+i+half]
			y[h+i] = r.add(r.tape.scale(a, math.Cos(angle)), r.tape.scale(b, -math.Sin(angle)))
			y[h+i+half] = r.add(r.tape.scale(b, math.Cos(angle)), r.tape.scale(a, math.Sin(angle)))
		}
	}
	return y
}

func (r *reference) attention(name string, h [][]scalar) [][]scalar {
	C, D := r.cfg.DModel, r.cfg.DModel/r.cfg.Heads
	var q, k, v [][]scalar
	for t := range h {
		qkv := r.layer(name+"att_proj", h[t])
		qt, kt := qkv[:C], qkv[C:2*C]
		if r.cfg.QKNorm {
			qt, kt = r.norm(name+"q_norm", qt), r.norm(name+"k_norm", kt)
		}
		q, k, v = append(q, r.rotate(qt, t)), append(k, r.rotate(kt, t)), append(v, qkv[2*C:])
	}
	out := make([][]scalar, len(h))
	for t := range h {
		for head := 0; head < C; head += D {
			weights := make([]scalar, t+1)
			for j := range weights {
				weights[j] = r.exp(r.tape.scale(r.dot(q[t][head:head+D], k[j][head:head+D]), 1/math.Sqrt(float64(D))))
			}
			inverse := r.pow(r.sum(weights), -1)
			for i := head; i < head+D; i++ {
				terms := make([]scalar, t+1)
				for j := range terms {
					terms[j] = r.mul(weights[j], v[j][i])
				}
				out[t] = append(out[t], r.mul(r.sum(terms), inverse))
			}
		}
		if r.cfg.AttentionOutput {
			out[t] = r.layer(name+"attn_out", out[t])
		}
	}
	return out
}

func (r *reference) mlp(name string, h []scalar) []scalar {
	u := r.layer(name+"ff_proj", h)
	a := make([]scalar, r.cfg.MLPOut())
	for i := range a {
		if r.cfg.MLP == arch.SwiGLU {
			gate := u[len(a)+i]
			a[i] = r.mul(u[i], r.mul(gate, r.sigmoid(gate)))
		} else { // x/2 (1 + tanh z) = x sigmoid(2z)
			z := r.tape.scale(r.add(u[i], r.tape.scale(r.pow(u[i], 3), 0.044715)), math.Sqrt(2/math.Pi))
			a[i] = r.mul(u[i], r.sigmoid(r.tape.scale(z, 2)))
		}
	}
	return r.layer(name+"ff_out", a)
}
