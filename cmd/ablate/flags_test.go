package main

import "testing"

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
