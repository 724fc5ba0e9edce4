package running

import (
	"strings"
	"testing"
)

func TestDiskNeeds(t *testing.T) {
	const dir = "the/cache"
	n := diskNeeds{trainings: 3, checkpoints: 2e9, aside: 1e9, corpora: 5e8}
	for _, tc := range []struct {
		free          int64
		err, warnings []string
	}{
		{free: -1},
		{free: 4e9},
		{free: 3_500_000_000},
		{free: 3_200_000_000, warnings: []string{"about 3.5 GB", "a rough estimate of 500 MB for the corpora", "3.2 GB is free", dir}},
		{free: 1e9, err: []string{"3 trainings", "2 GB of checkpoints", "up to 1 GB more", "and 1 GB is free", dir, "--ignore-space"}},
	} {
		said, err := n.check(tc.free, dir)
		if (err != nil) != (tc.err != nil) || (said != "") != (tc.warnings != nil) {
			t.Errorf("%d free: %v, %q", tc.free, err, said)
			continue
		}
		for _, w := range tc.err {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%d free: %v does not say %q", tc.free, err, w)
			}
		}
		for _, w := range tc.warnings {
			if !strings.Contains(said, w) {
				t.Errorf("%d free: %q does not say %q", tc.free, said, w)
			}
		}
	}
}
