package cpu

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/lm"
)

var update = flag.Bool("update", false, "write testdata/torch/golden.json again, with every PyTorch found")

// getTorch is what to do without one.
const getTorch = "install Debian's python3-torch, or any PyTorch from 1.13 on and name its python in ABLATE_PYTHON, a second one in ABLATE_TORCH2 " +
	"(testdata/torch/README.md)"

// pythons are the interpreters whose PyTorch is asked: those named, or else the first of the usual
// ones that has one.
func pythons() (paths []string) {
	if second := os.Getenv("ABLATE_TORCH2"); second != "" {
		paths = append(paths, second)
	}
	if named := os.Getenv("ABLATE_PYTHON"); named != "" {
		return append(paths, named)
	}
	for _, usual := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(usual, "-c", "import importlib.util as u; exit(u.find_spec('torch') is None)").Run() == nil {
			return append(paths, usual)
		}
	}
	return paths
}

// child is a script of testdata/torch that answers each line of JSON with one.
type child struct {
	what string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs *strings.Builder
}

func startChild(python, script string, env ...string) (*child, error) {
	c := &child{what: python + " " + script, cmd: exec.Command(python, "-B", filepath.Join("testdata", "torch", script)), errs: &strings.Builder{}}
	c.cmd.Stderr = c.errs
	for _, line := range os.Environ() {
		// These two make OpenBLAS run as on another, older processor: whoever set them did not mean
		// PyTorch.
		if name, _, _ := strings.Cut(line, "="); name != "OPENBLAS_CORETYPE" && name != "OPENBLAS_L2_SIZE" {
			c.cmd.Env = append(c.cmd.Env, line)
		}
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	in, errIn := c.cmd.StdinPipe()
	out, errOut := c.cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, c.cmd.Start()); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.what, err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	return c, nil
}

func (c *child) ask(request, answer any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err = c.in.Write(append(line, '\n')); err == nil {
		line, err = c.out.ReadBytes('\n')
	}
	if err != nil {
		return fmt.Errorf("ask %s: %w: %v; its errors:\n%s", c.what, err, c.cmd.Wait(), c.errs)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		return fmt.Errorf("%s answered %q: %w", c.what, line, err)
	}
	return nil
}

func (c *child) close() error {
	return errors.Join(c.in.Close(), c.cmd.Wait())
}

// judge is a PyTorch on this machine.
type judge struct {
	*child
	version string
	dir     string // for weights and gradients
}

// judges starts every PyTorch, or skips.
func judges(t *testing.T) (all []judge) {
	t.Helper()
	for _, python := range pythons() {
		c, err := startChild(python, "judge.py")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.close(); err != nil {
				t.Errorf("%s: %v; its errors:\n%s", c.what, err, c.errs)
			}
		})
		var v struct{ Torch string }
		if err := c.ask(map[string]string{"do": "version"}, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, judge{c, v.Torch, t.TempDir()})
	}
	if len(all) == 0 {
		t.Skip("no PyTorch found: " + getTorch)
	}
	return all
}

// judgement is a request; see testdata/torch/judge.py.
type judgement struct {
	Do string `json:"do"`
	torchTraining
	DType   string        `json:"dtype"`
	Nudge   int           `json:"nudge"`   // 0: the weights as they are; otherwise the seed of a change in their last bit
	Weights string        `json:"weights"` // file
	Tensors []judgeTensor `json:"tensors"` // in it
	Out     string        `json:"out"`     // file for the gradients
}

type judgeTensor struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// judge asks for a training, or gradients, from the engine's weights.
func (j judge) judge(t *testing.T, do, dtype string, nudge int, r torchTraining, e *engine) (a torchAnswer, gradients [][]float64) {
	t.Helper()
	request := judgement{Do: do, torchTraining: r, DType: dtype, Nudge: nudge, Weights: filepath.Join(j.dir, "weights"), Out: filepath.Join(j.dir, "gradients")}
	var weights []byte
	for _, tensor := range e.views(e.weights) {
		request.Tensors = append(request.Tensors, judgeTensor{tensor.Name, tensor.Shape})
		for _, x := range tensor.Data {
			weights = binary.LittleEndian.AppendUint32(weights, math.Float32bits(x))
		}
	}
	if err := os.WriteFile(request.Weights, weights, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := j.ask(request, &a); err != nil {
		t.Fatal(err)
	}
	if do != "gradients" {
		return a, nil
	}
	data, err := os.ReadFile(request.Out)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range e.views(e.weights) {
		g := make([]float64, len(tensor.Data))
		for i := range g {
			g[i] = math.Float64frombits(binary.LittleEndian.Uint64(data))
			data = data[8:]
		}
		gradients = append(gradients, g)
	}
	return a, gradients
}

// PyTorch, asked again, gives the written losses. Its float64 runs may differ by the order of their
// sums, which 20 steps make larger, but to no more than 1e-9 of a loss; its float32 runs are held
// to what the engine is held to.
func TestTorchTrainings(t *testing.T) {
	all := judges(t)
	made := golden{Runs: map[string]goldenRun{}}
	var versions []string
	for _, j := range all {
		versions = append(versions, j.version)
	}
	made.Made = fmt.Sprintf("TestTorchTrainings -update: PyTorch %s on testdata/torch/judge.py, float64 by the first of them", strings.Join(versions, ", "))
	for name, r := range torchTrainings() {
		e := opened(t, r.Config, 1)
		lm.Init(e, r.Seed)
		run := goldenRun{Training: r, Weights: weightsDigest(e.views(e.weights)), Rounding: map[string]roundingError{}}
		for i, j := range all {
			double, _ := j.judge(t, "train", "float64", 0, r, e)
			if *update {
				if i == 0 {
					run.Float64 = double
				}
				var worst roundingError
				for nudge := range 5 {
					single, _ := j.judge(t, "train", "float32", nudge, r, e)
					off := single.off(run.Float64)
					worst.Loss, worst.Norm = max(worst.Loss, off.Loss), max(worst.Norm, off.Norm)
				}
				run.Rounding[j.version] = worst
				continue
			}
			want := readGolden(t).Runs[name]
			if off := double.off(want.Float64); off.Loss > 1e-9 || off.Norm > 1e-9 {
				t.Errorf("%s: PyTorch %s in float64 is off the written losses and norms by %v", name, j.version, off)
			}
			single, _ := j.judge(t, "train", "float32", 0, r, e)
			if err := want.compareTorch(single); err != nil {
				t.Errorf("%s: PyTorch %s in float32: %v", name, j.version, err)
			}
		}
		made.Runs[name] = run
	}
	if *update {
		text, err := json.MarshalIndent(made, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.FromSlash(goldenPath), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The loss and every gradient of one batch, against PyTorch in float64, from weights at which
// nothing vanishes, drawn four times: the trained architectures, and every seventh combination of
// the architecture's choices (TestVariantsAgainstReference has them all).
//
// Tolerance: the largest error of a tensor, relative to its largest gradient, may be four times
// that of PyTorch's float32 on the worst tensor of the same model in any of the draws: some 1e-5.
// Single tensors are no measure, for a short one has few chances to be unlucky, and nor is a single
// draw: how lucky PyTorch is in one depends on the processor, whose loops it chooses.
func TestTorchGradients(t *testing.T) {
	cases := map[string]torchTraining{}
	for name, r := range torchTrainings() {
		cases[name] = r
	}
	for i, cfg := range variants() {
		if i%7 == 0 {
			cases[label(cfg)] = torchTraining{Config: cfg, Rows: 2, Tokens: 7}
		}
	}
	const draws = 4
	for _, j := range judges(t) {
		t.Run(j.version, func(t *testing.T) {
			worst, torchWorst := 0.0, 0.0
			for name, r := range cases {
				e := opened(t, r.Config, 2)
				inputs, targets := torchBatch(r.Config.Vocab, r.Rows, r.Tokens, 0)
				var ours [draws][]float64 // of each tensor
				theirs := 0.0
				for draw := range ours {
					scramble(e, 7+uint64(draw))
					double, want := j.judge(t, "gradients", "float64", 0, r, e)
					_, single := j.judge(t, "gradients", "float32", 0, r, e)
					e.zeroGradients()
					loss, err := e.Accumulate(inputs, targets, r.Rows, r.Tokens, 1/known(targets))
					if err != nil {
						t.Fatal(err)
					}
					if off := math.Abs(loss/known(targets) - double.Losses[0]); off > 2e-6*double.Losses[0] {
						t.Errorf("%s: loss %.9f, PyTorch %.9f", name, loss/known(targets), double.Losses[0])
					}
					for i, g := range e.gradients() {
						largest := farthest(want[i], make([]float64, len(want[i])))
						ours[draw] = append(ours[draw], farthest(widen(g.Data), want[i])/largest) // NaN where all are zero: none is
						theirs = max(theirs, farthest(single[i], want[i])/largest)
					}
				}
				for _, off := range ours {
					for i, g := range e.gradients() {
						if !(off[i] <= 4*theirs) {
							t.Errorf("%s: gradient of %s: off by %.2g of its largest value; PyTorch's float32 at most %.2g", name, g.Name, off[i], theirs)
						}
					}
					worst = max(worst, slices.Max(off))
				}
				torchWorst = max(torchWorst, theirs)
			}
			t.Logf("%d models, %d draws each, worst tensor: %.1e of its largest gradient; PyTorch's float32: %.1e", len(cases), draws, worst, torchWorst)
		})
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = float64(x[i])
	}
	return y
}
