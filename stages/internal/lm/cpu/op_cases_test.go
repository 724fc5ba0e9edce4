package cpu

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ablate/specs/arch"
)

type opCase struct {
	name  string
	build func(d *bed) *gorgonia.Node // returns the scalar
}

// opCases build one operation each, between leaves and a scalar. Two kinds cannot stand alone: a
// residual input whose gradient is carried needs the norm that adds it, and a linear layer that
// shares its input needs the norm that asks for its part. Their cases hold both operations.
var opCases = []opCase{
	{"embedding", func(d *bed) *gorgonia.Node {
		return d.project(d.embed("wte.weight", d.ids))
	}},
	{"norm", func(d *bed) *gorgonia.Node {
		return d.project(d.norm("ln_f", d.leaf(d.e.arch.DModel)))
	}},
	{"norm of a carried residual", func(d *bed) *gorgonia.Node {
		x := d.leaf(d.e.arch.DModel)
		return d.projectCarrying(x, d.norm("ln_f", x))
	}},
	{"two norms of a carried residual", func(d *bed) *gorgonia.Node { // GPT-NeoX's block
		x := d.leaf(d.e.arch.DModel)
		first := d.norm("blocks.0.ff_norm", x)
		return d.projectCarrying(x, first, d.normBeside("blocks.0.attn_norm", x, first))
	}},
	{"norms of q and k", func(d *bed) *gorgonia.Node {
		return d.project(d.qkNorm("blocks.0.", d.leaf(3*d.e.arch.DModel)))
	}},
	{"rotation", func(d *bed) *gorgonia.Node {
		return d.project(d.rope("rope", d.leaf(3*d.e.arch.DModel)))
	}},
	{"attention heads", func(d *bed) *gorgonia.Node {
		return d.project(d.heads("heads", d.leaf(3*d.e.arch.DModel)))
	}},
	{"rotation and attention heads", func(d *bed) *gorgonia.Node {
		return d.project(d.heads("heads", d.rope("rope", d.leaf(3*d.e.arch.DModel))))
	}},
	{"linear", func(d *bed) *gorgonia.Node {
		c := d.e.arch
		return d.project(d.linear("blocks.0.ff_proj", d.leaf(c.DModel), c.DModel, c.MLPHidden, false))
	}},
	{"linear and a residual of its own", func(d *bed) *gorgonia.Node {
		c := d.e.arch
		return d.project(d.linearAdd("blocks.0.ff_out", d.leaf(c.MLPOut()), d.leaf(c.DModel), c.MLPOut(), c.DModel, direct))
	}},
	{"linear and a carried residual", func(d *bed) *gorgonia.Node {
		C, x := d.e.arch.DModel, d.leaf(d.e.arch.DModel)
		return d.project(d.linearAdd("blocks.0.attn_out", d.norm("blocks.0.attn_norm", x), x, C, C, carried))
	}},
	{"two linears that share a norm", func(d *bed) *gorgonia.Node { // a parallel block
		c := d.e.arch
		h := d.norm("blocks.0.attn_norm", d.leaf(c.DModel))
		qkv := d.linear("blocks.0.att_proj", h, c.DModel, 3*c.DModel, false)
		return d.project(qkv, d.linear("blocks.0.ff_proj", h, c.DModel, c.MLPHidden, true))
	}},
	{"sum with a residual of its own", func(d *bed) *gorgonia.Node {
		C := d.e.arch.DModel
		return d.project(d.add("sum", d.leaf(C), d.leaf(C), C, direct))
	}},
	{"sum with a carried residual", func(d *bed) *gorgonia.Node {
		C, x := d.e.arch.DModel, d.leaf(d.e.arch.DModel)
		return d.project(d.add("sum", d.norm("blocks.0.attn_norm", x), x, C, carried))
	}},
	{"activation", func(d *bed) *gorgonia.Node {
		return d.project(d.activation("activation", d.leaf(d.e.arch.MLPHidden)))
	}},
	{headCase, func(d *bed) *gorgonia.Node {
		return d.headLoss("head.weight", d.leaf(d.e.arch.DModel), d.targets)
	}},
	{"one table for embedding and head", func(d *bed) *gorgonia.Node {
		return d.headLoss("wte.weight", d.embed("wte.weight", d.ids), d.targets)
	}},
}

const headCase = "head and cross entropy"

// opConfigs are the settings under which every case is built: those that an operation looks at when
// it is made. The rest of the settings only say which operations a model has; here all parameters
// exist.
func opConfigs() []arch.Model {
	var all []arch.Model
	for _, norm := range []string{arch.LayerNorm, arch.RMSNorm} {
		for _, mlp := range []string{arch.GELU, arch.SwiGLU} {
			for _, bias := range []bool{false, true} {
				rotary := arch.Fraction(1)
				if bias { // as good a switch as any
					rotary = 4.0 / 6 // of heads 6 wide
				}
				all = append(all, arch.Model{
					Vocab: 19, DModel: 18, Layers: 1, Heads: 3, Context: 200, Block: arch.Sequential, Norm: norm, NormBias: bias,
					LinearBias: bias, QKNorm: true, MLP: mlp, MLPHidden: 22, AttentionOutput: true, RopeBase: 100, Rotary: rotary, NormEps: 1e-5,
				})
			}
		}
	}
	return all
}

// source is where the function literal stands that computes an operation: its identity, whatever
// its name.
func source(o *op) string {
	pc := reflect.ValueOf(o.run).Pointer()
	file, line := runtime.FuncForPC(pc).FileLine(pc)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}

// signature tells apart what gradients have to tell apart: the code, the inputs, which of them have
// a gradient, and the words of the configuration that the code of several operations looks at.
func signature(c arch.Model, o *op) string {
	return fmt.Sprintf("%s, %d inputs, gradients %v, %s, %s", source(o), len(o.in), o.diff, c.Norm, c.MLP)
}

// runLiterals finds every function literal in the package's source that becomes an operation's run.
func runLiterals(t *testing.T) []string {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := func(value ast.Expr) {
			at := fset.Position(value.Pos())
			if _, ok := value.(*ast.FuncLit); !ok {
				t.Errorf("%v: an operation's run is not a function literal; this test cannot follow it", at)
			}
			all = append(all, fmt.Sprintf("%s:%d", name, at.Line))
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "run" {
					found(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if sel, ok := left.(*ast.SelectorExpr); ok && sel.Sel.Name == "run" {
						found(n.Rhs[i])
					}
				}
			}
			return true
		})
	}
	return all
}

// TestOpCasesAreComplete fails when an operation has no case: one in the source of the package that
// no case builds, or one in a graph of any variant of the model, trained or evaluated, that differs
// from those of the cases, see signature.
func TestOpCasesAreComplete(t *testing.T) {
	sources, signatures := map[string]bool{}, map[string]bool{}
	for _, cfg := range opConfigs() {
		e := opened(t, cfg, 1)
		for _, c := range opCases {
			for _, train := range []bool{true, false} {
				d := newBed(t, e, 2, 3, train, false, c)
				for _, node := range d.graph.program {
					if o, ok := node.Op().(*op); ok && !strings.HasPrefix(o.name, testOp) {
						sources[source(o)], signatures[signature(cfg, o)] = true, true
					}
				}
			}
		}
	}
	literals := runLiterals(t)
	if len(literals) < 20 {
		t.Errorf("%d operations found in the source, want at least 20", len(literals))
	}
	for _, at := range literals {
		if !sources[at] {
			t.Errorf("%s: this operation is in no case of opCases", at)
		}
	}
	missing := map[string]bool{}
	for _, cfg := range variants() {
		cfg.Layers = 1
		e := opened(t, cfg, 1)
		e.training()
		for _, train := range []bool{true, false} {
			g, err := e.assemble(1, 3, train, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, node := range g.program {
				o, ok := node.Op().(*op)
				if !ok {
					continue
				}
				if s := signature(cfg, o); !signatures[s] && !missing[s] {
					missing[s] = true
					t.Errorf("%s: operation %v (%s) is in no case of opCases", label(cfg), o, s)
				}
			}
		}
	}
}

// The variants take both sides of every switch and more than one value of every word: else the test
// above would not see what a new field of arch.Model brings. Precision, an option, brings no
// operation, only another product, for which the bounds of those tests are too narrow:
// precision_test.go.
func TestVariantsAreComplete(t *testing.T) {
	typ := reflect.TypeFor[arch.Model]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Type.Kind() != reflect.Bool && f.Type.Kind() != reflect.String {
			continue
		}
		values := map[any]bool{}
		for _, c := range variants() {
			values[reflect.ValueOf(c).Field(i).Interface()] = true
		}
		if len(values) < 2 {
			t.Errorf("field %s has %d values in variants(), want all it can have", f.Name, len(values))
		}
	}
}
