package merge

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/checkpoint"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/train"
)

func TestMerge(t *testing.T) {
	a, b := stagetest.Trained(t, train.Kind, 1), stagetest.Trained(t, train.Kind, 2)
	r := stagetest.Run(t, Kind, kind.MergeParams{Recipe: kind.Recipe{Weights: []string{"1/3", "2/3"}}}, stagetest.Roles{}.Numbered("model", a.Path(kind.OutModel), b.Path(kind.OutModel)))
	var files []*checkpoint.File
	for _, x := range []stagetest.Result{a, b, r} {
		f, err := checkpoint.Open(x.Path(kind.OutModel))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if diff := cmp.Diff(files[0].Meta(), files[2].Meta()); diff != "" {
		t.Errorf("metadata, - want, + got:\n%s", diff)
	}
	for _, name := range files[0].Names() {
		x, errX := files[0].Tensor(name)
		y, errY := files[1].Tensor(name)
		z, errZ := files[2].Tensor(name)
		if err := errors.Join(errX, errY, errZ); err != nil {
			t.Fatal(err)
		}
		for i := range x.Data {
			if want := float32(float64(x.Data[i])*(1./3) + float64(y.Data[i])*(2./3)); z.Data[i] != want {
				t.Fatalf("%s[%d] is %g, want %g", name, i, z.Data[i], want)
			}
		}
	}
	stagetest.Fail(t, Kind, kind.MergeParams{Recipe: kind.Recipe{Weights: []string{"1/3", "1/3"}}}, stagetest.Roles{}.Numbered("model", a.Path(kind.OutModel), b.Path(kind.OutModel)), "sum to 2/3, want 1")
	stagetest.Fail(t, Kind, kind.MergeParams{Recipe: kind.Recipe{Weights: []string{"1"}}}, stagetest.Roles{}.Numbered("model", a.Path(kind.OutModel), b.Path(kind.OutModel)), "1 weights for 2 models")
}
