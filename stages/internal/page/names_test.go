package page

import (
	"strings"
	"testing"
)

// A name bears escapes only where they tell things apart: a mixture of one partition, a share and a
// headline have the partition's own name.
func TestNames(t *testing.T) {
	for mixture, want := range map[string]string{"C%2B%2B": "C++", "C%2B%2B+F#": "C++ + F#", "a+b": "a + b"} {
		if got := spaced(mixture); got != want {
			t.Errorf("%s in a headline is %q, want %q", mixture, got, want)
		}
	}
	var out strings.Builder
	in := Data{Study: "small", Mixtures: []Mixture{
		{Name: "C%2B%2B", Partitions: []string{"C%2B%2B"}, Shares: []Share{{Partition: "C%2B%2B", Share: 1}}},
		{Name: "C%2B%2B+F#", Partitions: []string{"C%2B%2B", "F#"}, Shares: []Share{{Partition: "C%2B%2B", Share: 0.5}, {Partition: "F#", Share: 0.5}}},
	}}
	if err := Render(&out, in); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`class="name">C&#43;<wbr>&#43;<wbr></th>`, `C&#43;&#43; 100%`, `C&#43;&#43; 50%`, `class="name">C%2B%2B&#43;<wbr>F#<wbr></th>`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
