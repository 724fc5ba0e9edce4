package pipeline

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/cache/checkpoint"
	"ablate/stages/kind"
)

// unitStudy has a partition of more than ten units, whose names and numbers sort differently, and a
// mixture of units that is listed.
func unitStudy(t *testing.T) *Plan {
	t.Helper()
	return compiled(t, parsed(t,
		"{alpha: 2, beta: 1, gamma: 1}", "{alpha: 12, beta: 1, gamma: 1}",
		"pairs: {choose: 2}", "pairs: {choose: 2}\n  some: {of: units, list: [[beta, alpha/2, alpha/10]]}"))
}

// spellings are recipes; those of one line are one average. Each is a list of models or averages
// with weights.
var spellings = [][]string{
	{"1*micro/pairs/beta+gamma", "1*macro/pairs/beta+gamma", "2*unit/parts/gamma/0 2*unit/parts/beta/0", "1*macro/pairs/beta+gamma 1*unit/parts/gamma/0 1*unit/parts/beta/0"},
	{"1*micro/some/alpha/2+alpha/10+beta", "1*unit/parts/beta/0 1*unit/parts/alpha/2 1*unit/parts/alpha/10",
		"1*unit/parts/alpha/10 1*unit/parts/alpha/2 1*unit/parts/beta/0", "3*micro/some/alpha/2+alpha/10+beta"},
	{"1*macro/pairs/alpha+beta", "12*unit/parts/beta/0 " + alphas(12, 1), alphas(12, -1) + " 12*unit/parts/beta/0"},
	{"1*micro/pairs/alpha+beta", "1*unit/parts/beta/0 " + alphas(12, -1)},
	// A mean of means with its weights multiplied out: 1/2 (alpha + beta)/2 + 1/2 (beta + gamma)/2.
	{"1*macro/pairs/alpha+beta 1*macro/pairs/beta+gamma", "1*macro/pairs/beta+gamma 1*macro/pairs/alpha+beta",
		"12*unit/parts/gamma/0 " + alphas(12, 1) + " 24*unit/parts/beta/0"},
}

func alphas(n, step int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("1*unit/parts/alpha/%d", i))
	}
	if step < 0 {
		slices.Reverse(names)
	}
	return strings.Join(names, " ")
}

func spelled(text string) (parts []Weighted) {
	for _, word := range strings.Fields(text) {
		weight, model, _ := strings.Cut(word, "*")
		parts = append(parts, Weighted{model, rat(weight)})
	}
	return parts
}

// Recipes that are equal as mathematics have one key and, over real checkpoints, one bit pattern;
// others have others.
func TestAveragesOfOneMeaningAreOne(t *testing.T) {
	p := unitStudy(t)
	var merges [][]int
	for _, line := range spellings {
		var steps []int
		for _, text := range line {
			i, err := p.AddMerge(spelled(text))
			if err != nil {
				t.Fatal(err)
			}
			steps = append(steps, i)
		}
		merges = append(merges, steps)
	}
	s := newShelf().run(t, p)
	files := checkpointsOf(t, s)
	owner, order := map[cache.Key]string{}, 0
	for n, steps := range merges {
		key, bits := s.Keys[steps[0]], averageBits(t, s, s.Step(steps[0]), files)
		if other, ok := owner[key]; ok {
			t.Errorf("%s has the key of %s", spellings[n][0], other)
		}
		owner[key] = spellings[n][0]
		for k, i := range steps {
			if s.Keys[i] != key {
				t.Errorf("%s has another key than %s:\n%s", spellings[n][k], spellings[n][0], cmp.Diff(s.KeyInputs[steps[0]], s.KeyInputs[i]))
			}
			if !slices.Equal(averageBits(t, s, s.Step(i), files), bits) {
				t.Errorf("%s has other bits than %s", spellings[n][k], spellings[n][0])
			}
			// The same sum in the order of the plan or of the list: were its bits always the same,
			// this test could not fail.
			if !slices.Equal(averageBits(t, s, p.Steps[i], files), bits) {
				order++
			}
		}
	}
	if order == 0 {
		t.Error("the order of the models never shows in the bits of these averages: make them longer")
	}
}

// checkpointsOf writes a checkpoint of random numbers for each content that a trained model of the
// state has.
func checkpointsOf(t *testing.T, s *State) map[cache.Digest]*checkpoint.File {
	t.Helper()
	dir, files := t.TempDir(), map[cache.Digest]*checkpoint.File{}
	for i, step := range s.Plan.Steps {
		if step.Kind != kind.Train {
			continue
		}
		out, ok := s.Entries[i].Output(kind.OutModel)
		if !ok || files[out.Digest] != nil {
			continue
		}
		r, data := rand.New(rand.NewPCG(uint64(i), 1)), make([]float32, 20000)
		for j := range data {
			data[j] = float32(math.Ldexp(r.NormFloat64(), -r.IntN(12)))
		}
		path := filepath.Join(dir, out.Digest.String())
		if err := checkpoint.Write(path, []checkpoint.Tensor{{Name: "w", Shape: []int{len(data)}, Data: data}}, nil); err != nil {
			t.Fatal(err)
		}
		f, err := checkpoint.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[out.Digest] = f
	}
	return files
}

// averageBits carries out an average: models in the order of the step's inputs, each weight the
// nearest float64.
func averageBits(t *testing.T, s *State, step *Step, files map[cache.Digest]*checkpoint.File) []uint32 {
	t.Helper()
	recipe, _ := averaged(step)
	var models []*checkpoint.File
	var weights []float64
	for i, text := range recipe.Weights {
		out, _ := s.Entries[step.Inputs[i].Step].Output(step.Inputs[i].Output)
		w, _ := fraction(text).Float64()
		models, weights = append(models, files[out.Digest]), append(weights, w)
	}
	var result []float32
	if err := checkpoint.Average(models, weights, func(_ string, shape []int) []float32 {
		result = make([]float32, shape[0])
		return result
	}); err != nil {
		t.Fatal(err)
	}
	bits := make([]uint32, len(result))
	for i, x := range result {
		bits[i] = math.Float32bits(x)
	}
	return bits
}

// Two names for one average meet in one step of the plan: it is evaluated once.
func TestAverageIsEvaluatedOnce(t *testing.T) {
	p := unitStudy(t)
	if _, err := p.Find("eval/macro/pairs/beta+gamma/far"); err == nil {
		t.Error("macro over partitions of one unit each is a step beside micro")
	}
}

// Partitions of other names are listed in another order; the key of an average over the same models
// does not change.
func TestAverageDoesNotDependOnNames(t *testing.T) {
	keys := map[string]cache.Key{}
	for _, name := range []string{"alpha", "zulu"} {
		p := compiled(t, parsed(t, "units: {alpha: 2,", "units: {"+name+": 2,"))
		sh := newShelf()
		sh.content = func(s *Step, output string) string {
			return strings.ReplaceAll(s.ID, name, "first") + output // models are the same, whatever their partition is called
		}
		s := sh.run(t, p)
		mixture := "alpha+beta"
		if name == "zulu" {
			mixture = "beta+zulu"
		}
		i, err := p.Find("eval/macro/pairs/" + mixture + "/far")
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = s.Keys[i]
	}
	if keys["alpha"] != keys["zulu"] {
		t.Error("renaming a partition changed the key of an average of its models")
	}
}

// Models of one content are one model.
func TestAverageOfEqualContent(t *testing.T) {
	p := compiled(t, parsed(t))
	sh := newShelf()
	sh.content = func(s *Step, output string) string {
		if s.ID == "unit/parts/alpha/1" || s.ID == "unit/parts/beta/0" {
			return "twins" + output
		}
		return ""
	}
	s := sh.run(t, p)
	i, err := p.Find("eval/micro/pairs/alpha+beta/far")
	if err != nil {
		t.Fatal(err)
	}
	step := s.Step(i)
	made, _ := averaged(step)
	weights := made.Weights
	if len(weights) != 2 || len(step.Inputs) != 3 || step.Inputs[1].Role != kind.Role("model", 1) || step.Inputs[2].Role != "tokens" {
		t.Fatalf("weights %v, inputs %v, want two models and the tokens", weights, step.Inputs)
	}
	twins := cache.DigestOf([]byte("twins" + kind.OutModel))
	for j, w := range weights {
		out, _ := s.Entries[step.Inputs[j].Step].Output(kind.OutModel)
		if want := map[bool]string{true: "2/3", false: "1/3"}[out.Digest == twins]; w != want {
			t.Errorf("model %d has weight %s, want %s", j, w, want)
		}
	}
	if len(p.Steps[i].Inputs) != 4 {
		t.Errorf("the plan's own step has inputs %v, want all four", p.Steps[i].Inputs)
	}
}

func TestRecipeInputs(t *testing.T) {
	r := recipe{models: []int{7, 3, 7}, weights: []*big.Rat{rat("1/4"), rat("1/2"), rat("1/4")}}
	inputs, weights := r.inputs()
	if len(inputs) != 2 || inputs[0].Step != 3 || inputs[1].Step != 7 || !slices.Equal(weights, []string{"1/2", "1/2"}) {
		t.Errorf("inputs %v, weights %v, want steps 3 and 7, half each", inputs, weights)
	}
}
