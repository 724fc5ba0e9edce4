package correlate

import (
	"strings"
	"testing"

	"ablate/stages/kind"
)

func TestPublished(t *testing.T) {
	values, err := readPublished(publishedCSV)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[publishedKey]float64{
		{"paper/5.1-s2orc-pairs", "in-domain", "ind_id"}:                0.968,
		{"paper/5.1-wiki-pairs", kind.Average, "micro"}:                 0.993,
		{"paper/5.2-uneven", kind.Average, "macro"}:                     0.984,
		{"paper/5.4-larger-models", "mc4", "merged"}:                    0.429,
		{"paper/5.4-larger-models", "manosphere_meta_sep", "small_seq"}: 0.967,
	} {
		if got := values[k].Pearson; got != want {
			t.Errorf("%v: %g, want %g", k, got, want)
		}
	}
	for name, text := range map[string]string{
		"twice": "head\na,b,c,0.5,x\na,b,c,0.5,x\n", "beyond": "head\na,b,c,1.5,x\n", "no number": "head\na,b,c,x,x\n", "no source": "head\na,b,c,0.5,\n",
	} {
		if _, err := readPublished("study,set,proxy,pearson,source" + strings.TrimPrefix(text, "head")); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
