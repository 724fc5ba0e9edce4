package ablate_test

import (
	"debug/elf"
	"encoding/binary"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fused lists the functions of ours that hold fused multiply-adds on arm64, and how many
// instructions. They ask for them: by math.FMA, or by MulAdd of package scalar and fusedGo of
// package matmul, whose results are those of the fused instructions of amd64. Everywhere else x*y +
// z must be rounded twice, as amd64 does, or an artifact has other bits on arm64: write
// float64(x*y) + z.
var fused = map[string]int{
	"ablate/stages/internal/elementary.Exp":         4,
	"ablate/stages/internal/kernel/scalar.Exp":      10,
	"ablate/stages/internal/kernel/matmul.fusedGo":  16,
	"ablate/stages/internal/kernel.geluRow":         1,
	"ablate/stages/internal/kernel.geluBackwardRow": 2,
}

// TestFused compiles the program for arm64 and looks for fused multiply-adds in our functions, with
// what was inlined into them. Libraries hold some, too: those of figures (gonum/plot, freetype),
// which `make build` and `make dist` compile without, and those that no artifact depends on. What
// they computed for artifacts is ours now (packages elementary and stat).
func TestFused(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program for arm64")
	}
	program := filepath.Join(t.TempDir(), "ablate")
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/ablate")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	found := fusedFunctions(t, program)
	if len(found) == 0 {
		t.Fatal("no fused instruction at all: the program is not read as it is written")
	}
	for name, n := range found {
		if fused[name] != n {
			t.Errorf("%s has %d fused multiply-adds, want %d: forbid them by conversions, as float64(x*y) + z; `go tool objdump` names the lines", name, n, fused[name])
		}
	}
	for name := range fused {
		if found[name] == 0 {
			t.Errorf("%s has no fused multiply-add any more: strike it from the list", name)
		}
	}
}

// fusedFunctions counts the instructions FMADD, FMSUB, FNMADD and FNMSUB in each function of ours.
// They are those of arm64's class "floating-point data processing, 3 sources", whose uppermost byte
// is 0x1F.
func fusedFunctions(t *testing.T, program string) map[string]int {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := f.Section(".text")
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, s := range symbols {
		if !strings.HasPrefix(s.Name, "ablate/") && !strings.HasPrefix(s.Name, "main.") || elf.ST_TYPE(s.Info) != elf.STT_FUNC {
			continue
		}
		for at := s.Value - text.Addr; at+4 <= s.Value-text.Addr+s.Size; at += 4 {
			if binary.LittleEndian.Uint32(code[at:])>>24 == 0x1F {
				found[s.Name]++
			}
		}
	}
	return found
}

// exact lists the functions of package math that return the same bits everywhere, because their
// results are exact or correctly rounded.
var exact = strings.Fields(`Abs Ceil Copysign FMA Float32bits Float32frombits Float64bits Float64frombits Floor Frexp Inf IsInf IsNaN Ldexp
	Max Min Mod Modf NaN Round RoundToEven Signbit Sqrt Trunc`)

// TestMathFunctions holds our code to them, and to our own normal numbers: the others of package
// math differ between processors, and package elementary has them with one result.
func TestMathFunctions(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "stages/internal/lm/enginetest/") || strings.HasPrefix(path, "stages/internal/stagetest/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, imp := range file.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			if p == "math" || p == "math/rand" || p == "math/rand/v2" || p == "math/cmplx" {
				name := filepath.Base(strings.TrimSuffix(p, "/v2"))
				if imp.Name != nil {
					name = imp.Name.Name
				}
				names[name] = p
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if s.Sel.Name == "NormFloat64" || s.Sel.Name == "ExpFloat64" {
				t.Errorf("%s: %s differs between processors; use elementary.Normal", path, s.Sel.Name)
			}
			x, ok := s.X.(*ast.Ident)
			if ok && names[x.Name] == "math" && !constant(s.Sel.Name) && !slices.Contains(exact, s.Sel.Name) {
				t.Errorf("%s: math.%s differs between processors; use package elementary", path, s.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// constant reports whether a name of package math is a constant.
func constant(name string) bool {
	return slices.Contains([]string{"E", "Pi", "Phi", "Sqrt2", "SqrtE", "SqrtPi", "SqrtPhi", "Ln2", "Log2E", "Ln10", "Log10E"}, name) ||
		strings.HasPrefix(name, "Max") && name != "Max" || strings.HasPrefix(name, "SmallestNonzero") || strings.HasPrefix(name, "MinInt")
}
