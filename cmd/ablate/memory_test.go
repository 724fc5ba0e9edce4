package main

import (
	"math"
	"testing"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"6GB": 6e9, "6G": 6e9, "5.5GiB": 5632 << 20, "512Mi": 512 << 20, "512MiB": 512 << 20, "6000000000": 6e9, "1TB": 1e12, "800kB": 800e3,
		"": 0, "6 GB": 0, "GB": 0, "-1G": 0, "0": 0, "1.5": 0, "lots": 0,
	} {
		var got size
		err := got.UnmarshalText([]byte(text))
		if (err != nil) != (want == 0) || err == nil && got != want {
			t.Errorf("%q: %d, error %v, want %d", text, got, err, want)
		}
	}
}

func TestTotalMemory(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal:       24689208 kB\nMemFree:        23000000 kB\n": 24689208 << 10,
		"MemFree: 1 kB\n":           math.MaxInt64,
		"MemTotal:       many kB\n": math.MaxInt64,
		"":                          math.MaxInt64,
	} {
		if got := totalMemory(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
