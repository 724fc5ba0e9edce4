package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ablate/pipeline"
	"ablate/stages/kind"
)

// Only results that promise the same bytes everywhere are executed again and compared.
func TestIncomparable(t *testing.T) {
	known := kind.Arithmetics
	t.Cleanup(func() { kind.Arithmetics = known })
	kind.Arithmetics = append(slices.Clip(known), kind.Arithmetic{Name: "device", Equality: kind.SameDevice})
	for _, c := range []struct {
		name   string
		kind   string
		params any
		want   string // "": comparable
	}{
		{"exact training", kind.Train, kind.TrainParams{}, ""},
		{"exact evaluation", kind.Eval, kind.EvalParams{}, ""},
		{"training on a device", kind.Train, kind.TrainParams{Arithmetic: "device"}, "its arithmetic, device, promises the same bytes on devices of one model only"},
		{"evaluation on a device", kind.Eval, kind.EvalParams{Arithmetic: "device"}, "its arithmetic, device, promises"},
		{"arithmetic of another program", kind.Train, kind.TrainParams{Arithmetic: "bogus"}, `unknown arithmetic "bogus"`},
		{"merge", kind.Merge, kind.MergeParams{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			params, err := json.Marshal(c.params)
			if err != nil {
				t.Fatal(err)
			}
			got := incomparable(&pipeline.Step{Kind: c.kind, Params: params})
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
