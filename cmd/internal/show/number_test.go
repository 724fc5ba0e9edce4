package show

import (
	"math"
	"math/big"
	"testing"
)

func TestNumbers(t *testing.T) {
	large, ok := new(big.Int).SetString("123456789012345678901234567890", 10)
	if !ok {
		t.Fatal("internal: no number")
	}
	span := func(seconds float64) string { return Span(&seconds) }
	for _, c := range []struct{ got, want string }{
		{BigBytes(new(big.Int)), ""}, {BigBytes(big.NewInt(159000)), "159 kB"}, {BigBytes(large), "1.23e29B"},
		{Tokens(0), ""}, {Tokens(999_999_999), "1000M"}, {Tokens(1_500_000_000), "1.5B"}, {BigTokens(big.NewInt(16_256_400_000_000)), "16,256B"}, {BigTokens(big.NewInt(16_256_500_000_000)), "16,257B"},
		{Whole(7), "7"}, {Whole(341376), "341,376"}, {BigWhole(big.NewInt(1234567)), "1,234,567"}, {BigWhole(large), "1.23e29"},
		{Hours(0.12345), "0.1235"}, {Hours(81280.4), "81,280"}, {Hours(2e15), "2.00e+15"},
		{Ratio(2.5), "2.5x"}, {Ratio(127.4), "127x"}, {Ratio(12345), "12,345x"}, {Ratio(2e15), "2.00e+15x"},
		{Loss(5.70041), "5.7004"}, {Loss(12.3456), "12.35"}, {Loss(123.456), "123.5"}, {Loss(12345678), "1.23e+07"}, {Loss(math.NaN()), "-"}, {Loss(math.Inf(1)), "+Inf"},
		{Fixed(0.96, 3), "0.960"}, {Fixed(math.NaN(), 3), "-"}, {Fixed(1.25e40, 2), "1.25e+40"},
		{Interval(-0.7, 0.4), "-0.70 to 0.40"}, {Interval(math.NaN(), 0.4), "-"},
		{Percent(0.95), "95%"}, {Percent(0.999), "99.9%"}, {Percent(1.0 / 3), "33.3333%"},
		{Seconds(1.26), "1.3s"}, {Span(nil), "-"}, {span(0.1234), "0.123 s"}, {span(150), "2.5 min"}, {span(36_000), "10 h"}, {span(4.5e6), "1250 h"},
		{short(0), "0.00s"}, {short(12e9), "12.0s"}, {short(61e9), "1m01s"}, {short(3700e9), "1h01m"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if Known(math.NaN()) != nil || Known(math.Inf(1)) != nil || *Known(2) != 2 {
		t.Error("what is known is null, or what is not is a number")
	}
}
