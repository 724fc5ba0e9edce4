package pipeline

import (
	"errors"
	"fmt"
	"testing"

	"ablate/stages/kind"
)

// A failure that a parameter is to blame for is told with the line of the study, alone or among
// others.
func TestBlame(t *testing.T) {
	st := parsed(t)
	p := compiled(t, st)
	i, err := p.Find("split/parts")
	if err != nil {
		t.Fatal(err)
	}
	s := &State{Plan: p, Kinds: kind.Kinds{{Name: kind.Split, Origins: map[string]string{"only": "*.only", "unit_tokens": "*.unit.tokens", "declared": "*.units+"}}}}
	param := func(name, text string) error { return &kind.ParamError{Param: name, Err: errors.New(text)} }
	tokens, alpha := st.At("partitions", "parts", "unit", "tokens"), st.At("partitions", "parts", "units", "alpha")
	if tokens == alpha || tokens.Line == 0 {
		t.Fatalf("places %v and %v are no places", tokens, alpha)
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"nobody to blame", errors.New("disk full"), "disk full"},
		{"a key", param("unit_tokens", "too large"), tokens.String() + ": partitions.parts.unit.tokens: too large"},
		{"a key below words", fmt.Errorf("split: %w", param("unit_tokens", "too large")), tokens.String() + ": partitions.parts.unit.tokens: split: too large"},
		{"a name of the writer's choice", param("declared.alpha", "too many"), alpha.String() + ": partitions.parts.units.alpha: too many"},
		{"a parameter that no key sets", param("eos", "wrong"), "wrong"},
		{"several", errors.Join(param("unit_tokens", "too large"), errors.New("disk full"), param("declared.alpha", "too many")),
			tokens.String() + ": partitions.parts.unit.tokens: too large\ndisk full\n" + alpha.String() + ": partitions.parts.units.alpha: too many"},
	} {
		if got := s.Blame(st, i, tt.err); got.Error() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
