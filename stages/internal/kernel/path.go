package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"ablate/stages/internal/kernel/matmul"
)

// pathVariable names the environment variable that forces a path.
const pathVariable = "ABLATE_KERNEL"

// path is one implementation of the inner loops.
type path struct {
	name         string
	*matmul.Path // of matrix products

	scores *scoreLoops // nil: the loops along rows, a row at a time

	rowLoops
}

// scoreLoops are attention's loops over several rows of scores; see the methods of head of the same
// names. first is the length of the first row, each further one is longer by 1 but none than limit;
// first-1 and rows are multiples of 4, ld and limit of 16.
type scoreLoops struct {
	softmax   func(s *float32, ld, rows, first, limit int, peaks, sums *float32, a float32)
	scoreGrad func(s, d *float32, ld, rows, first, limit int, lse, delta *float32, a float32)
	scale     func(x *float32, ld, rows, n int, by *float32) // n a multiple of 16
	dot       func(out, x, y *float32, ld, rows, n int)      // likewise
}

// rowLoops are the loops along rows; goLoops names the truth of each.
type rowLoops struct {
	rowMax       func(x []float32) float32
	rowSum       func(x []float32) float32
	rowSquares   func(x []float32, m float32) float32
	rowDot       func(x, y []float32) float32
	rowExp       func(y, x []float32, a, m float32) float32
	rowScale     func(x []float32, a float32)
	rowAdd       func(y, a, b []float32)
	rowScoreGrad func(d, p []float32, delta, a float32)
	normRow      func(y, x []float32, m, s float32, w, b []float32)
	normSums     func(sw, sb, dy, x []float32, m, s float32, w []float32) (g, gn float32)
	normGradient func(dx, dy, x []float32, m, s float32, w, carry []float32, g, gn float32)
	gelu         func(y, x []float32)
	geluBackward func(dx, dy, x []float32)
	swiglu       func(y, value, gate []float32)
	swigluBack   func(dvalue, dgate, dy, value, gate []float32)
	turnHeads    func(x, cos, sin []float32, inverse bool)
	adam         func(w, g, m, v []float32, c *adamCoefficients)
	squares64    func(x []float32) float64
}

var goLoops = rowLoops{
	rowMax:       rowMax,
	rowSum:       rowSum,
	rowSquares:   rowSquares,
	rowDot:       rowDot,
	rowExp:       rowExp,
	rowScale:     rowScale,
	rowAdd:       rowAdd,
	rowScoreGrad: rowScoreGrad,
	normRow:      normRow,
	normSums:     normSums,
	normGradient: normGradient,
	gelu:         geluRow,
	geluBackward: geluBackwardRow,
	swiglu:       swigluRow,
	swigluBack:   swigluBackwardRow,
	turnHeads:    turnHeads,
	adam:         adamRow,
	squares64:    squares64,
}

var portablePath = path{
	name:     "portable",
	Path:     &matmul.Portable,
	rowLoops: goLoops,
}

var choice struct {
	sync.Mutex
	made bool
	k    *path
	err  error
}

// Select chooses the path of the pools made from now on: "avx512", "avx2", "fused", "portable", or
// "" for what ABLATE_KERNEL says and, if that is empty, the best this machine has. It is an error
// to ask for what the machine lacks; nothing else is put in its place. No path changes any result.
func Select(name string) error {
	choice.Lock()
	defer choice.Unlock()
	k, err := find(name)
	if err == nil || !choice.made {
		choice.made, choice.k, choice.err = true, k, err
	}
	return err
}

// Available are the names of the paths that this machine has, the best first.
func Available() []string {
	var names []string
	for _, k := range paths() {
		names = append(names, k.name)
	}
	return names
}

// Features says which path the next pool will run: its name.
func Features() string {
	k, err := selected()
	if err != nil {
		return "none: " + err.Error()
	}
	return k.name
}

func selected() (*path, error) {
	choice.Lock()
	defer choice.Unlock()
	if !choice.made {
		choice.k, choice.err = find("")
		choice.made = true
	}
	return choice.k, choice.err
}

func find(name string) (*path, error) {
	available := paths()
	asked := "kernel path"
	if name == "" {
		name = os.Getenv(pathVariable)
		asked = pathVariable
	}
	if name == "" {
		return available[0], nil
	}
	names := make([]string, len(available))
	for i, k := range available {
		names[i] = k.name
	}
	if i := slices.Index(names, name); i >= 0 {
		return available[i], nil
	}
	return nil, fmt.Errorf("%s %q: this machine has %s", asked, name, strings.Join(names, ", "))
}
