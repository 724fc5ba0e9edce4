package kind

import (
	"encoding/json"
	"strings"
	"testing"
)

// The exact arithmetic leaves no trace in parameters, so that keys from before there was a choice
// hold; another one does.
func TestArithmeticInParameters(t *testing.T) {
	for _, c := range []struct {
		name          string
		exact, device any
	}{
		{"train", TrainParams{}, TrainParams{Arithmetic: "device"}},
		{"eval", EvalParams{}, EvalParams{Arithmetic: "device"}},
	} {
		exact, err := json.Marshal(c.exact)
		if err != nil {
			t.Fatal(err)
		}
		device, err := json.Marshal(c.device)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(exact), "arithmetic") || !strings.Contains(string(device), `"arithmetic":"device"`) {
			t.Errorf("%s: parameters\n%s of the exact arithmetic,\n%s of another", c.name, exact, device)
		}
		if a, err := ArithmeticOf(exact); err != nil || a.Name != Exact || a.Equality != SameBytes {
			t.Errorf("%s: %+v, %v, want the exact one", c.name, a, err)
		}
		if _, err := ArithmeticOf(device); err == nil || !strings.Contains(err.Error(), `unknown arithmetic "device"; this program knows ["exact"]`) {
			t.Errorf("%s: error %v, want one that lists those there are", c.name, err)
		}
	}
}
