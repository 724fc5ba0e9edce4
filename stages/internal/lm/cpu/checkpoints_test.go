package cpu

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/specs/arch"
)

// conditions are the words of CHECKPOINTS.md for what a model must be to have a tensor.
var conditions = map[string]func(c arch.Model) bool{
	"always":                               func(arch.Model) bool { return true },
	"norm_bias":                            func(c arch.Model) bool { return c.NormBias },
	"linear_bias":                          func(c arch.Model) bool { return c.LinearBias },
	"qk_norm":                              func(c arch.Model) bool { return c.QKNorm },
	"qk_norm and norm_bias":                func(c arch.Model) bool { return c.QKNorm && c.NormBias },
	"attention_output":                     func(c arch.Model) bool { return c.AttentionOutput },
	"attention_output and linear_bias":     func(c arch.Model) bool { return c.AttentionOutput && c.LinearBias },
	"block is not parallel":                func(c arch.Model) bool { return c.Block != arch.Parallel },
	"block is not parallel, and norm_bias": func(c arch.Model) bool { return c.Block != arch.Parallel && c.NormBias },
	"not tied_head":                        func(c arch.Model) bool { return !c.TiedHead },
}

// documented lists the tensors of a model as the table of CHECKPOINTS.md has them.
func documented(t *testing.T, page string, c arch.Model) []string {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| `([a-z_.L]+)` \\| \\[([^]]+)\\] \\| (.+) \\|$")
	sizes := map[string]int{"C": c.DModel, "3C": 3 * c.DModel, "V": c.Vocab, "F": c.MLPHidden, "A": c.MLPOut()}
	var before, layer, after []string
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		there, ok := conditions[strings.ReplaceAll(m[3], "`", "")]
		if !ok {
			t.Fatalf("tensor %s is there if %q, which the test does not know", m[1], m[3])
		}
		if !there(c) {
			continue
		}
		var shape []int
		for _, s := range strings.Split(m[2], ", ") {
			shape = append(shape, sizes[s])
		}
		line := fmt.Sprint(m[1], shape)
		switch {
		case strings.HasPrefix(m[1], "blocks.L."):
			layer = append(layer, line)
		case layer == nil:
			before = append(before, line)
		default:
			after = append(after, line)
		}
	}
	for l := range c.Layers {
		for _, line := range layer {
			before = append(before, strings.Replace(line, "blocks.L.", fmt.Sprintf("blocks.%d.", l), 1))
		}
	}
	return append(before, after...)
}

// The page has every tensor of every preset and of every combination of words, with its shape, in
// the order of the file.
func TestCheckpointsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../../../CHECKPOINTS.md")
	if err != nil {
		t.Fatal(err)
	}
	configs := map[string]arch.Model{}
	for _, p := range published {
		configs[p.preset] = preset(t, p.preset)
	}
	for i, c := range variants() {
		configs[fmt.Sprint("variant ", i)] = c
	}
	for name, c := range configs {
		var want []string
		for _, s := range c.Tensors() {
			want = append(want, fmt.Sprint(s.Name, s.Shape))
		}
		if got := documented(t, string(data), c); !slices.Equal(got, want) {
			t.Errorf("%s (-model +page):\n%.2000s", name, cmp.Diff(want, got))
		}
	}
}
