package specs

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Studies that are small, or as large as a study may be, and stand for something without end: each
// is refused at a line, at a cost that the size of the file bounds.
func TestBombs(t *testing.T) {
	var laughs strings.Builder // ten lists of ten of the one before: 10^9 words
	laughs.WriteString(small + "x0: &x0 [" + strings.Repeat("ha, ", 10) + "]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&laughs, "x%d: &x%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10))
	}
	maps := strings.Replace(laughs.String(), "[ha, ", "{ha: 1, ", 1)
	maps = strings.Replace(maps, strings.Repeat("ha, ", 9)+"]", "}", 1)
	for i := 1; i < 9; i++ {
		maps = strings.Replace(maps, "["+strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10)+"]",
			"{<<: ["+strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10)+"]}", 1)
	}
	const mb = 1 << 20
	for _, c := range []struct {
		name, text, want string
		most             uint64 // bytes
	}{
		{"aliases of aliases", laughs.String() + "model: {}\nproxies: *x8\n", "proxies", 64 * mb},
		{"aliases in mixtures", strings.Replace(laughs.String(), "mixtures: {pairs: {choose: 2}}\n", "", 1) + "model: {}\nmixtures: {pairs: {list: *x8}}\n", "mixtures.pairs.list", 64 * mb},
		{"merge keys of merge keys", maps + "model: {<<: *x8}\n", "more than", 512 * mb},
		{"an alias of what holds it", small + "model: &m {preset: *m}\n", "model.preset: want one of", 4 * mb},
		{"brackets", small + "model: " + strings.Repeat("[", maxBytes-1000), "not YAML", 64 * mb},
		{"brackets as deep as YAML goes", small + "model: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "\n", "model", 64 * mb},
		{"dashes", small + "model:\n" + strings.Repeat("- ", 9000) + "x\n", "model", 64 * mb},
		{"steps of indentation", small + "model:\n" + steps(1500) + "\n", "unknown key", 64 * mb},
		{"a long word", small + "model: {preset: " + strings.Repeat("x", maxBytes-1000) + "}\n", "unknown", 64 * mb},
		{"a long number", small + "seed_model: {on: seed, tokens: " + strings.Repeat("9", maxBytes-1000) + "}\n", "tokens", 64 * mb},
		{"an exponent", strings.Replace(small, "units: 2", "units: 1e999999999", 1) + "model: {d_model: 1e999999999}\n", "d_model", 4 * mb},
		{"more than a study has", strings.Repeat("# x\n", maxBytes/4+1), "larger than", 8 * mb},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = Parse("x", []byte(c.text), ".") })
			var errs Errors
			if !errors.As(err, &errs) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %.300v, want an error with %q", err, c.want)
			}
			for _, e := range errs {
				if e.Line < 1 || e.Column < 1 || len(e.Message) > 2000 {
					t.Errorf("%d:%d: %d bytes: %.300s", e.Line, e.Column, len(e.Message), e.Message)
				}
			}
			t.Logf("%d bytes of text, %d allocated: %.200v", len(c.text), used, err)
			if used > c.most {
				t.Errorf("%d bytes were allocated for %d of text, want at most %d", used, len(c.text), c.most)
			}
		})
	}
}

// steps is a mapping in a mapping in a mapping, n deep.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String() + strings.Repeat(" ", n+1) + "1"
}
