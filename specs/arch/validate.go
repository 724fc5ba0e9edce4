package arch

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Validate returns everything that is wrong with m: a value outside of what its tags allow, or a
// contradiction between values. A study is held to the same by package specs, which knows the line
// of each; this is for models that come from elsewhere.
func (m Model) Validate() error {
	var errs []error
	bad := map[string]bool{}
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		key := keyOf(v.Type().Field(i))
		if err := within(v.Type().Field(i).Tag, v.Field(i)); err != nil {
			bad[key] = true
			errs = append(errs, fmt.Errorf("model: %s is %w", key, err))
		}
	}
	for _, c := range m.Contradictions(func(key string, value any) string { return fmt.Sprintf("%s %v", key, value) }) {
		if !slices.ContainsFunc(c.Keys, func(key string) bool { return bad[key] }) {
			errs = append(errs, fmt.Errorf("model: %s", c.Text))
		}
	}
	return errors.Join(errs...)
}

// keyOf is the name of a field in studies and in JSON.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

// within holds a value to the tags min, max, above, below and enum. The error says what the value
// is and what is wanted.
func within(tag reflect.StructTag, v reflect.Value) error {
	var x float64
	switch v.Kind() {
	case reflect.Bool:
		return nil
	case reflect.String:
		words := strings.Split(tag.Get("enum"), "|")
		if !slices.Contains(words, v.String()) {
			return fmt.Errorf("%q, want one of %q", v.String(), words)
		}
		return nil
	case reflect.Int:
		x = float64(v.Int()) // every int within the bounds is exact
	default:
		x = v.Float()
	}
	bounds := []struct {
		tag, words string
		ok         func(bound float64) bool
	}{
		{"min", "at least", func(b float64) bool { return x >= b }},
		{"above", "more than", func(b float64) bool { return x > b }},
		{"max", "at most", func(b float64) bool { return x <= b }},
		{"below", "less than", func(b float64) bool { return x < b }},
	}
	var want []string
	ok := !math.IsNaN(x)
	for _, b := range bounds {
		text, given := tag.Lookup(b.tag)
		if !given && b.tag == "max" && v.Type() == reflect.TypeFor[Fraction]() {
			text, given = "1", true
		}
		if !given {
			continue
		}
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(fmt.Sprintf("internal error: tag %s:%q: %v", b.tag, text, err))
		}
		ok = ok && b.ok(bound)
		want = append(want, b.words+" "+text)
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%v, want %s", v.Interface(), strings.Join(want, " and "))
}

// Contradiction is values that do not go together although each of them is allowed.
type Contradiction struct {
	Keys []string // whose values these are; the first is the one that a person would change
	Text string
}

// Contradictions lists them. Values that are not allowed by themselves give no contradiction. The
// function name writes a key with its value, so that a caller can say where the value comes from.
func (m Model) Contradictions(name func(key string, value any) string) (all []Contradiction) {
	add := func(keys []string, format string, args ...any) {
		all = append(all, Contradiction{keys, fmt.Sprintf(format, args...)})
	}
	if m.DModel > 0 && m.Heads > 0 {
		turned := float64(float64(m.Rotary) * float64(m.HeadWidth()))
		switch {
		case m.DModel%m.Heads != 0:
			add([]string{"heads", "d_model"}, "%s do not divide %s", name("heads", m.Heads), name("d_model", m.DModel))
		case m.Rotary > 0 && m.Rotary <= 1 && (turned < 1 || math.Abs(turned-float64(2*math.Round(turned/2))) > 1e-6):
			add([]string{"rotary", "heads", "d_model"}, "%s of heads %d wide (%s in %s) makes %v rotary dimensions, want an even number",
				name("rotary", m.Rotary), m.HeadWidth(), name("heads", m.Heads), name("d_model", m.DModel), float64(nearest(turned*1e6))/1e6)
		}
	}
	if m.MLP == SwiGLU && m.MLPHidden%2 != 0 {
		add([]string{"mlp_hidden", "mlp"}, "%s halves it, found %d, which is odd", name("mlp", m.MLP), m.MLPHidden)
	}
	return all
}
