package eval

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/specs/arch"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/train"
)

// describedModel computes with a checkpoint as CHECKPOINTS.md says, in float64, one position and
// channel at a time; it shares no code with the engine. The fields that are functions can be
// changed, so that a test can see that they matter.
type describedModel struct {
	arch.Model
	tensors map[string][]float64
	part    map[string]int // rows of att_proj: q, k and v in multiples of C
	gate    int            // rows of ff_proj at which the gate begins, in multiples of F / 2
	pair    func(i, R int) (int, int)
}

func describedCheckpoint(t *testing.T, path string, m arch.Model) *describedModel {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &describedModel{Model: m, tensors: map[string][]float64{}, part: map[string]int{"q": 0, "k": 1, "v": 2}, gate: 1,
		pair: func(i, R int) (int, int) { return i, i + R/2 }}
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range x.Data {
			d.tensors[name] = append(d.tensors[name], float64(v))
		}
	}
	return d
}

func (d *describedModel) norm(name string, x []float64) []float64 {
	mean, square := 0.0, 0.0
	if d.Norm == "layernorm" {
		for _, v := range x {
			mean += v / float64(len(x))
		}
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - mean) / math.Sqrt(square+d.NormEps) * d.tensors[name+".weight"][i]
		if b := d.tensors[name+".bias"]; b != nil {
			y[i] += b[i]
		}
	}
	return y
}

// linear applies rows from to to of a matrix.
func (d *describedModel) linear(name string, x []float64, from, to int) []float64 {
	var y []float64
	for r := from; r < to; r++ {
		sum := 0.0
		for i, v := range x {
			sum += v * d.tensors[name+".weight"][r*len(x)+i]
		}
		if b := d.tensors[name+".bias"]; b != nil {
			sum += b[r]
		}
		y = append(y, sum)
	}
	return y
}

func (d *describedModel) rotate(head []float64, t int) {
	R := int(math.Round(float64(d.Rotary) * float64(len(head))))
	for i := range R / 2 {
		a := float64(t) * math.Pow(d.RopeBase, -2*float64(i)/float64(R))
		p, q := d.pair(i, R)
		x, y := head[p], head[q]
		head[p], head[q] = x*math.Cos(a)-y*math.Sin(a), y*math.Cos(a)+x*math.Sin(a)
	}
}

// attention is that of a layer over the positions of hs.
func (d *describedModel) attention(block string, hs [][]float64) [][]float64 {
	C, D := d.DModel, d.DModel/d.Heads
	q, k, v := make([][]float64, len(hs)), make([][]float64, len(hs)), make([][]float64, len(hs))
	for t, h := range hs {
		rows := func(what string) []float64 { return d.linear(block+"att_proj", h, d.part[what]*C, (d.part[what]+1)*C) }
		q[t], k[t], v[t] = rows("q"), rows("k"), rows("v")
		if d.QKNorm {
			q[t], k[t] = d.norm(block+"q_norm", q[t]), d.norm(block+"k_norm", k[t])
		}
		for n := range d.Heads {
			d.rotate(q[t][n*D:(n+1)*D], t)
			d.rotate(k[t][n*D:(n+1)*D], t)
		}
	}
	out := make([][]float64, len(hs))
	for t := range hs {
		out[t] = make([]float64, C)
		for n := range d.Heads {
			weights, sum := make([]float64, t+1), 0.0
			for s := range weights {
				dot := 0.0
				for i := n * D; i < (n+1)*D; i++ {
					dot += q[t][i] * k[s][i]
				}
				weights[s] = math.Exp(dot / math.Sqrt(float64(D)))
				sum += weights[s]
			}
			for s, w := range weights {
				for i := n * D; i < (n+1)*D; i++ {
					out[t][i] += w / sum * v[s][i]
				}
			}
		}
		if d.AttentionOutput {
			out[t] = d.linear(block+"attn_out", out[t], 0, C)
		}
	}
	return out
}

func (d *describedModel) mlp(block string, h []float64) []float64 {
	F := d.MLPHidden
	var a []float64
	if d.MLP == "swiglu" {
		value := d.linear(block+"ff_proj", h, (1-d.gate)*F/2, (2-d.gate)*F/2)
		for i, g := range d.linear(block+"ff_proj", h, d.gate*F/2, (d.gate+1)*F/2) {
			a = append(a, value[i]*g/(1+math.Exp(-g)))
		}
	} else {
		for _, x := range d.linear(block+"ff_proj", h, 0, F) {
			a = append(a, x/2*(1+math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))))
		}
	}
	return d.linear(block+"ff_out", a, 0, d.DModel)
}

// nats is the loss of tokens behind EOS.
func (d *describedModel) nats(tokens []uint32) float64 {
	C := d.DModel
	var xs [][]float64
	for _, id := range append([]uint32{stagetest.EOS}, tokens[:len(tokens)-1]...) {
		xs = append(xs, slices.Clone(d.tensors["wte.weight"][int(id)*C:(int(id)+1)*C]))
	}
	each := func(f func(x []float64) []float64) [][]float64 {
		var ys [][]float64
		for _, x := range xs {
			ys = append(ys, f(x))
		}
		return ys
	}
	add := func(ys [][]float64) {
		for t := range xs {
			for i := range xs[t] {
				xs[t][i] += ys[t][i]
			}
		}
	}
	for l := range d.Layers {
		block := fmt.Sprintf("blocks.%d.", l)
		h := each(func(x []float64) []float64 { return d.norm(block+"attn_norm", x) })
		a := d.attention(block, h)
		if d.Block == "sequential" {
			add(a)
		}
		norm := "ff_norm"
		if d.Block == "parallel" {
			norm = "attn_norm"
		}
		m := each(func(x []float64) []float64 { return d.mlp(block, d.norm(block+norm, x)) })
		if d.Block != "sequential" {
			add(a)
		}
		add(m)
	}
	head := "wte.weight"
	if !d.TiedHead {
		head = "head.weight"
	}
	sum := 0.0
	for t, x := range xs {
		x = d.norm("ln_f", x)
		logit := func(id int) float64 {
			dot := 0.0
			for i, v := range x {
				dot += v * d.tensors[head][id*C+i]
			}
			return dot
		}
		total := 0.0
		for id := range d.Vocab {
			total += math.Exp(logit(id))
		}
		sum += math.Log(total) - logit(int(tokens[t]))
	}
	return sum
}

// Losses computed from a checkpoint by nothing but CHECKPOINTS.md are those that the evaluation
// computed, and would be others if the page had the order of q, k and v, the gate or the pairs of
// the rotation wrong.
func TestCheckpointsMeanWhatIsDocumented(t *testing.T) {
	base := stagetest.Model
	base.InitStd = 0.3 // weights of a size at which every part shows
	neox, llama, parallel := base, base, base
	neox.Block, neox.QKNorm, neox.MLP, neox.AttentionOutput, neox.TiedHead, neox.Rotary = "neox", false, "gelu", true, false, 0.5
	llama.Norm, llama.NormBias, llama.LinearBias, llama.QKNorm, llama.AttentionOutput, llama.TiedHead = "rmsnorm", false, false, false, true, false
	parallel.Block = "parallel"
	for _, c := range []struct {
		name  string
		model arch.Model
	}{{"paper", base}, {"pythia", neox}, {"llama", llama}, {"paper, parallel", parallel}} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.TrainParams()
			p.Model, p.Tokens = c.model, p.Batch
			path := stagetest.Run(t, train.Kind, p, stagetest.Units(t)).Path(kind.OutModel)
			ep := stagetest.EvalParams()
			ep.Model = c.model
			tokens := stagetest.TokenFile(t, 4, false, 16, 9, 1)
			rows := stagetest.ReadTable[tables.LossRow](t, stagetest.Run(t, Kind, ep, stagetest.Roles{"tokens": tokens, "model.0": path}), kind.OutLosses)
			file, err := table.OpenTokens(tokens)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			off := func(d *describedModel) (most float64) {
				for i, r := range rows {
					most = max(most, math.Abs(d.nats(file.DocTokens(i, nil))/r.Nats-1))
				}
				return most
			}
			const tolerance = 1e-4 // of sums of float32 products, some hundred to a loss
			d := describedCheckpoint(t, path, c.model)
			if x := off(d); x > tolerance {
				t.Errorf("losses differ by %g", x)
			}
			for name, wrong := range map[string]func(d *describedModel){
				"k, q, v":           func(d *describedModel) { d.part = map[string]int{"k": 0, "q": 1, "v": 2} },
				"v, k, q":           func(d *describedModel) { d.part = map[string]int{"v": 0, "k": 1, "q": 2} },
				"neighbours turn":   func(d *describedModel) { d.pair = func(i, R int) (int, int) { return 2 * i, 2*i + 1 } },
				"the gate is first": func(d *describedModel) { d.gate = 0 },
			} {
				d := describedCheckpoint(t, path, c.model)
				wrong(d)
				if x := off(d); x < 10*tolerance && !(name == "the gate is first" && c.model.MLP == "gelu") {
					t.Errorf("%s: the losses would differ by no more than %g", name, x)
				}
			}
		})
	}
}
