package kind

import (
	"strings"
	"testing"
)

func TestNeedsCheck(t *testing.T) {
	for _, c := range []struct {
		needs Needs
		want  string // "": right
	}{
		{Needs{}, ""},
		{Needs{Cores: 4, Memory: 2, LeastMemory: 1, Devices: 1, DeviceMemory: 1, Time: 1, Leaves: 1, Aside: 1}, ""},
		{Needs{Cores: -1}, "needs -1 of cores"},
		{Needs{Memory: -1, LeastMemory: -1}, "needs -1 of memory"},
		{Needs{LeastMemory: -1}, "needs -1 of least memory"},
		{Needs{Devices: -1}, "needs -1 of devices"},
		{Needs{DeviceMemory: -1}, "needs -1 of device memory"},
		{Needs{Time: -1}, "needs -1 of time"},
		{Needs{Leaves: -1}, "needs -1 of leaves"},
		{Needs{Aside: -1}, "needs -1 of aside"},
		{Needs{Memory: 1, LeastMemory: 2}, "needs at least 2 bytes of memory, and is fastest with 1"},
	} {
		err := c.needs.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.needs, err, c.want)
		}
	}
}

// Parameters come from files that others may have written: what is no object is an error.
func TestFlatten(t *testing.T) {
	got, err := Flatten([]byte(`{"b":[1,{"x":"y"}],"a":1.50,"c":null}`))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, in := range got {
		lines = append(lines, in.Label+" = "+in.Value)
	}
	const want = `param a = 1.50|param b.length = 2|param b[0] = 1|param b[1].x = "y"|param c = <nil>`
	if text := strings.Join(lines, "|"); text != want {
		t.Errorf("%s\nwant %s", text, want)
	}
	long := `"` + strings.Repeat("x", MostList) + `"`
	for _, bad := range []string{``, `[]`, `"x"`, `{`, `{"a":}`, `[` + long + `]`, `{"a":` + long} {
		if _, err := Flatten([]byte(bad)); err == nil {
			t.Errorf("parameters %.20s: no error", bad)
		}
	}
}
