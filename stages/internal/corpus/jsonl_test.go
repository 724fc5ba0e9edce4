package corpus

import (
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ number, want string }{
		{"2019", "2019"}, {"2019.0", "2019"}, {"2.019e3", "2019"}, {"2.019E+03", "2019"}, {"-0", "0"}, {"0.000", "0"}, {"0e99999999999", "0"},
		{"1e-3", "0.001"}, {"-12.50", "-12.5"}, {"100", "100"}, {"1e2", "100"}, {"0.1", "0.1"}, {"12.5e1", "125"}, {"12.5e0", "12.5"},
		{"9007199254740993", "9007199254740993"}, {"123456789012345678901234567890", "123456789012345678901234567890"},
		{"0.00100", "0.001"}, {"1e63", "1" + strings.Repeat("0", 63)},
	} {
		if got, err := canonical(c.number); err != nil || got != c.want {
			t.Errorf("canonical(%s) = %q, %v, want %q", c.number, got, err, c.want)
		}
	}
	for _, number := range []string{"1e64", "1e-65", "1e99999999999999999999", "-1e-99999999999999999999", strings.Repeat("1", 65)} {
		if got, err := canonical(number); err == nil {
			t.Errorf("canonical(%s) = %q, want an error", number, got)
		}
	}
}
