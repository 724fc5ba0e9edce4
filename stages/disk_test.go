package stages

import (
	"encoding/json"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/kind"
)

func TestDisk(t *testing.T) {
	p := kind.TrainParams{Model: arch.Model{Vocab: 512, DModel: 32, Layers: 1, Heads: 2, Context: 64}}
	for _, moments := range []bool{false, true} {
		p.Moments = moments
		params, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		leaves, aside, err := Disk(kind.Train, params)
		n, _ := p.Model.Parameters()
		want := 4 * n
		if moments {
			want *= 3
		}
		if err != nil || n < 512*32 || leaves != want || aside != 24*n {
			t.Errorf("moments %v, %d parameters: %d and %d bytes, %v; want %d and %d", moments, n, leaves, aside, err, want, 24*n)
		}
	}
	if leaves, aside, err := Disk(kind.Eval, nil); leaves != 0 || aside != 0 || err != nil {
		t.Errorf("an evaluation: %d, %d, %v", leaves, aside, err)
	}
}
