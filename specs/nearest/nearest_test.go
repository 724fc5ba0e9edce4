package nearest

import (
	"slices"
	"testing"
)

func TestWord(t *testing.T) {
	valid := []string{"model", "mixtures", "train", "d_model", "of"}
	for _, x := range []struct{ word, want string }{
		{"modle", "model"}, // a swap is one step
		{"Model", "model"},
		{"d-model", "d_model"},
		{"mixture", "mixtures"},
		{"tokenizer", ""},
		{"x", ""},
		{"fo", "of"},
	} {
		if got := Word(x.word, valid); got != x.want {
			t.Errorf("Word(%q) = %q, want %q", x.word, got, x.want)
		}
	}
}

func TestSorted(t *testing.T) {
	words := []string{"art", "metaphysics", "physics"}
	if got, want := Sorted("Pyhsics", words), []string{"physics", "metaphysics", "art"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if words[0] != "art" {
		t.Error("the caller's list was sorted")
	}
}
