package specs

import (
	"errors"
	"testing"
)

func TestCount(t *testing.T) {
	for _, x := range []struct {
		text string
		want Count
		err  error
	}{
		{"0", 0, nil},
		{"300", 300, nil},
		{"1_000", 1000, nil},
		{"100k", 100_000, nil},
		{"3M", 3_000_000, nil},
		{"2.5M", 2_500_000, nil},
		{"0.001k", 1, nil},
		{"1B", 1_000_000_000, nil},
		{"1G", 1_000_000_000, nil},
		{"2T", 2_000_000_000_000, nil},
		{"8Ki", 8192, nil},
		{"1.5Mi", 1_572_864, nil},
		{"1e6", 1_000_000, nil},
		{"9007199254740993", 9007199254740993, nil}, // 2^53+1, which no float holds
		{"9223372036854775807", 1<<63 - 1, nil},
		{"9223372036854775808", 0, errRange},
		{"10000000T", 0, errRange},
		{"-5", -5, nil}, // the bounds of the key refuse it
		{"1.5", 0, errNotWhole},
		{"0.0001k", 0, errNotWhole},
		{"1e-3", 0, errNotWhole},
		{"", 0, errNotNumber},
		{"k", 0, errNotNumber},
		{"8K", 0, errNotNumber},
		{"8 k", 0, errNotNumber},
		{"8kk", 0, errNotNumber},
		{"1__0", 0, errNotNumber},
		{"_1", 0, errNotNumber},
		{"1_", 0, errNotNumber},
		{"017", 0, errNotNumber},
		{"0x10", 0, errNotNumber},
		{"1e9999", 0, errNotNumber},
		{"--1", 0, errNotNumber},
		{"inf", 0, errNotNumber},
		{"many", 0, errNotNumber},
		{"5%", 0, errNotNumber},
	} {
		got, err := parseCount(x.text)
		if !errors.Is(err, x.err) || err == nil && got != x.want {
			t.Errorf("parseCount(%q) = %d, %v, want %d, %v", x.text, got, err, x.want, x.err)
		}
	}
}

func TestFraction(t *testing.T) {
	for _, x := range []struct {
		text string
		want Fraction
		err  error
	}{
		{"5%", 0.05, nil},
		{"0.05", 0.05, nil},
		{"0", 0, nil},
		{"1", 1, nil},
		{"100%", 1, nil},
		{"0.1%", 0.001, nil},
		{"33.3%", 0.333, nil},
		{"5e-2", 0.05, nil},
		{"5", 0, errRange},
		{"101%", 0, errRange},
		{"-1%", 0, errRange},
		{"1.01", 0, errRange},
		{"%", 0, errNotNumber},
		{"5e1%", 0, errNotNumber},
		{"5 %", 0, errNotNumber},
		{"nan", 0, errNotNumber},
		{"five", 0, errNotNumber},
	} {
		got, err := parseFraction(x.text)
		if !errors.Is(err, x.err) || err == nil && got != x.want {
			t.Errorf("parseFraction(%q) = %v, %v, want %v, %v", x.text, got, err, x.want, x.err)
		}
	}
}

func TestNumberText(t *testing.T) {
	for _, x := range []struct {
		number float64
		want   string
	}{{16777216, "16777216"}, {1e12, "1e12"}, {0.05, "0.05"}, {1e-5, "1e-5"}, {-1, "-1"}, {1e-10, "1e-10"}} {
		if got := number(x.number); got != x.want {
			t.Errorf("number(%g) = %s, want %s", x.number, got, x.want)
		}
	}
}
