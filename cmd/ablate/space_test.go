package main

import (
	"strings"
	"testing"

	"ablate/cache"
)

func TestSpaceCheck(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := space{trainings: 3, checkpoints: 2e9, aside: 1e9, corpora: 5e8}
	for _, tc := range []struct {
		free          int64
		err, warnings []string
	}{
		{free: -1},
		{free: 4e9},
		{free: 3_500_000_000},
		{free: 3_200_000_000, warnings: []string{"about 3.5 GB", "500 MB for the corpora is a guess", "3.2 GB is free", c.Dir()}},
		{free: 1e9, err: []string{"3 trainings", "2 GB of checkpoints", "up to 1 GB aside", "and 1 GB is free", c.Dir(), "--ignore-space"}},
	} {
		var said strings.Builder
		err := n.check(&said, tc.free, c)
		if (err != nil) != (tc.err != nil) || (said.Len() > 0) != (tc.warnings != nil) {
			t.Errorf("%d free: %v, %q", tc.free, err, said.String())
			continue
		}
		for _, w := range tc.err {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%d free: %v does not say %q", tc.free, err, w)
			}
		}
		for _, w := range tc.warnings {
			if !strings.Contains(said.String(), w) {
				t.Errorf("%d free: %q does not say %q", tc.free, said.String(), w)
			}
		}
	}
}
