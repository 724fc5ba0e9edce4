package lm

import (
	"strings"
	"testing"
)

func TestOptionsValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		want string // "": valid
	}{
		{"float32", Options{Threads: 1}, ""},
		{"bf16", Options{Threads: 8, Precision: BF16, Recompute: Layers}, ""},
		{"another precision", Options{Threads: 1, Precision: "fp16"}, `precision is "fp16", want one of ["" "bf16"]`},
		{"no threads", Options{}, "threads is 0, want at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.opt.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
