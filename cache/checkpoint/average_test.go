package checkpoint

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// collect averages into fresh slices.
func collect(files []*File, weights []float64) (map[string][]float32, error) {
	out := map[string][]float32{}
	err := Average(files, weights, func(name string, shape []int) []float32 {
		n, err := elements(shape)
		if err != nil {
			panic(err)
		}
		out[name] = make([]float32, n)
		return out[name]
	})
	return out, err
}

var modelShapes = []struct {
	name  string
	shape []int
}{
	{"wte", []int{513, 65}}, {"ln.weight", []int{64}}, {"scalar", nil}, {"none", []int{0, 4}}, {"big", []int{3*averageChunk + 17}},
}

// models writes and opens models of random numbers with some special ones.
func models(t testing.TB, n int) []*File {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.NaN())}
	files := make([]*File, n)
	for k := range files {
		var tensors []Tensor
		for _, s := range modelShapes {
			x := tensor(uint64(k)*100, s.name, s.shape...)
			for i := range min(len(x.Data), 40) {
				x.Data[i] = special[(i+i/6*k)%len(special)]
			}
			tensors = append(tensors, x)
		}
		if k%2 == 1 {
			slices.Reverse(tensors) // the order in the file does not matter
		}
		files[k] = open(t, write(t, tensors, nil))
	}
	return files
}

func equalBits(a, b []float32) bool { return slices.Equal(bitsOf(a), bitsOf(b)) }

func TestAverageAgainstPlainLoop(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			files := models(t, n)
			r := rand.New(rand.NewPCG(3, uint64(n)))
			weights, sum := make([]float64, n), 0.0
			for k := range weights {
				weights[k] = r.Float64() - 0.1
				sum += weights[k]
			}
			for k := range weights {
				weights[k] /= sum
			}
			got, err := collect(files, weights)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range modelShapes {
				want := make([]float32, len(got[s.name]))
				for i := range want {
					acc := 0.0
					for k, f := range files {
						x, err := f.Tensor(s.name)
						if err != nil {
							t.Fatal(err)
						}
						p := weights[k] * float64(x.Data[i])
						if k == 0 {
							acc = p
						} else {
							acc += p
						}
					}
					want[i] = float32(acc)
				}
				for i := range want {
					// Which of two NaNs survives an addition is the machine's choice.
					if got, want := got[s.name][i], want[i]; math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
						t.Fatalf("tensor %s, element %d: %v, want %v", s.name, i, got, want)
					}
				}
			}
		})
	}
}

func TestAverageOfOneIsExact(t *testing.T) {
	files := models(t, 1)
	got, err := collect(files, []float64{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range modelShapes {
		x, err := files[0].Tensor(s.name)
		if err != nil {
			t.Fatal(err)
		}
		if !equalBits(got[s.name], x.Data) {
			t.Errorf("tensor %s differs from the only model's", s.name)
		}
	}
}

// Equal models give the model back, whatever the weights, as long as their float64 sum rounds away.
func TestAverageOfEqualModels(t *testing.T) {
	f := open(t, write(t, []Tensor{tensor(1, "w", 1000)}, nil))
	got, err := collect([]*File{f, f, f}, []float64{1. / 3, 1. / 3, 1. / 3})
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	if !equalBits(got["w"], x.Data) {
		t.Error("mean of three equal models differs from the model")
	}
}

func TestAverageDoesNotDependOnProcessors(t *testing.T) {
	files := models(t, 5)
	weights := []float64{0.1, 0.2, 0.3, 0.25, 0.15}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want, err := collect(files, weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []int{2, 3, 8} {
		runtime.GOMAXPROCS(procs)
		got, err := collect(files, weights)
		if err != nil {
			t.Fatal(err)
		}
		for name := range want {
			if !equalBits(got[name], want[name]) {
				t.Errorf("%d processors: tensor %s differs", procs, name)
			}
		}
	}
}

// What WriteAverage writes is what Write makes of Average, and it holds no model.
func TestWriteAverage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "merged")
	meta := map[string]string{"model": "m"}
	for _, n := range []int{1, 2, 9} {
		files, weights := models(t, n), make([]float64, n)
		for k := range weights {
			weights[k] = 1 / float64(n)
		}
		want, err := collect(files, weights)
		if err != nil {
			t.Fatal(err)
		}
		var tensors []Tensor
		for _, s := range modelShapes {
			tensors = append(tensors, Tensor{Name: s.name, Shape: s.shape, Data: want[s.name]})
		}
		if err := WriteAverage(path, files, weights, meta); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if wanted, err := os.ReadFile(write(t, tensors, meta)); err != nil || !bytes.Equal(got, wanted) {
			t.Errorf("%d models: %d bytes that differ from those of Write (%v)", n, len(got), err)
		}
	}

	large := 6*averagePiece + 5
	file := open(t, write(t, []Tensor{tensor(1, "a", large), tensor(2, "b", large)}, nil))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := WriteAverage(path, []*File{file, file}, []float64{0.5, 0.5}, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4*averagePiece+4<<20 {
		t.Errorf("%d bytes allocated for models of %d", n, 2*4*large)
	}
	if got := open(t, path); !equalBits(got.floats(got.entries["b"]), file.floats(file.entries["b"])) {
		t.Error("the mean of a model with itself is another")
	}
}

func TestWriteAverageRefuses(t *testing.T) {
	files := models(t, 2)
	path := filepath.Join(t.TempDir(), "merged")
	if err := WriteAverage(path, files, []float64{0.5}, nil); err == nil || !strings.Contains(err.Error(), "merge: 2 models and 1 weights") {
		t.Errorf("one weight: error %v", err)
	}
	other := open(t, write(t, []Tensor{tensor(1, "wte", 2)}, nil))
	if err := WriteAverage(path, []*File{files[0], other}, []float64{0.5, 0.5}, nil); err == nil || !strings.Contains(err.Error(), "merge: model 2: tensor ") {
		t.Errorf("another shape: error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused merge left a file")
	}
}

func TestAverageRefuses(t *testing.T) {
	wide := open(t, write(t, []Tensor{tensor(1, "wte", 512, 64), tensor(1, "b", 3)}, nil))
	narrow := open(t, write(t, []Tensor{tensor(1, "wte", 256, 64), tensor(1, "b", 3)}, nil))
	less := open(t, write(t, []Tensor{tensor(1, "wte", 512, 64)}, nil))
	flat := open(t, write(t, []Tensor{tensor(1, "wte", 512*64), tensor(1, "b", 3)}, nil))
	for _, c := range []struct {
		name, want string
		files      []*File
		weights    []float64
	}{
		{"shape", "merge: model 3: tensor wte: shape [256 64], want [512 64]", []*File{wide, wide, narrow}, []float64{.5, .25, .25}},
		{"same size, other shape", "merge: model 2: tensor wte: shape [32768], want [512 64]", []*File{wide, flat}, []float64{.5, .5}},
		{"tensor missing", "merge: model 2: tensor b: missing", []*File{wide, less}, []float64{.5, .5}},
		{"tensor more", "merge: model 2: tensor b: model 1 does not have it", []*File{less, wide}, []float64{.5, .5}},
		{"no models", "0 models and 0 weights", nil, nil},
		{"too few weights", "2 models and 1 weights", []*File{wide, wide}, []float64{1}},
		{"sum", "weights sum to 0.75, want 1 within 1e-09", []*File{wide, wide}, []float64{.5, .25}},
		{"sum just off", "want 1 within", []*File{wide}, []float64{1 + 2e-9}},
		{"NaN", "model 2: weight NaN is not finite", []*File{wide, wide}, []float64{1, math.NaN()}},
		{"infinite", "model 1: weight +Inf is not finite", []*File{wide, wide}, []float64{math.Inf(1), math.Inf(-1)}},
		{"sum overflows", "weights sum to ", []*File{wide, wide, wide, wide}, []float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := collect(c.files, c.weights); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := collect([]*File{wide, wide, wide}, []float64{1, 1, -1 + 1e-10}); err != nil {
		t.Errorf("a difference of models: %v", err)
	}
	err := Average([]*File{wide}, []float64{1}, func(string, []int) []float32 { return make([]float32, 5) })
	if err == nil || !strings.Contains(err.Error(), "destination of 5 elements, shape [512 64] has 32768") {
		t.Errorf("short destination: error %v", err)
	}
}

// BenchmarkAverage merges models of 16M parameters. Bytes are those read from all models and
// written once; the copy beside it, reading and writing as much memory with one memmove a model, is
// what this machine can do.
func BenchmarkAverage(b *testing.B) {
	const parameters = 16 << 20
	for _, n := range []int{1, 4, 8} {
		files, weights := make([]*File, n), make([]float64, n)
		for k := range files {
			files[k] = open(b, write(b, []Tensor{tensor(uint64(k), "w", parameters)}, nil))
			weights[k] = 1 / float64(n)
			touch(files[k])
		}
		dst := make([]float32, parameters)
		b.Run(fmt.Sprintf("models=%d", n), func(b *testing.B) {
			b.SetBytes(4 * parameters * int64(n+1))
			for b.Loop() {
				if err := Average(files, weights, func(string, []int) []float32 { return dst }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	src, dst := tensor(1, "w", parameters).Data, make([]float32, parameters)
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(2 * 4 * parameters)
		for b.Loop() {
			copy(dst, src)
		}
	})
}
