package specs

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"ablate/specs/arch"
)

// Every key says what it is, and every default and example in a tag is a value that the key takes.
func TestTags(t *testing.T) {
	known := map[string]bool{}
	for _, tag := range strings.Fields("yaml json doc unit default example need enum key names one whole min max above below") {
		known[tag] = true
	}
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			for tag := range strings.FieldsSeq(tagNames(string(typ.Field(i).Tag))) {
				if !known[tag] {
					t.Errorf("%s.%s: unknown tag %s", typ.Name(), typ.Field(i).Name, tag)
				}
			}
		}
		for _, f := range fieldsOf(typ) {
			name := typ.Name() + "." + f.name
			if f.name != strings.ToLower(f.name) || f.name == "" {
				t.Errorf("%s: not a lower-case key", name)
			}
			if !strings.HasSuffix(f.doc, ".") || !unicode.IsUpper([]rune(f.doc)[0]) && !strings.Contains(f.doc, ":") {
				t.Errorf("%s: doc %q is not a sentence", name, f.doc)
			}
			if f.need && f.preset != "" {
				t.Errorf("%s: has a default and must be given", name)
			}
			if f.names != "" && namePatterns[f.names] == "" {
				t.Errorf("%s: unknown rule for names %q", name, f.names)
			}
			if f.preset != "" {
				setDefault(f, reflect.New(f.typ).Elem()) // panics on a wrong one
			}
			if f.example != "" {
				f.preset = f.example
				setExample(t, name, f)
			}
			walk(f.typ)
		}
	}
	walk(reflect.TypeFor[Study]())
}

func setExample(t *testing.T, name string, f field) {
	root, err := parseYAML(name, []byte("x: "+f.example))
	if err != nil {
		t.Errorf("example of %s: %v", name, err)
		return
	}
	d := newDecoder(name)
	d.value(root.Content[0], root.Content[1], f, reflect.New(f.typ).Elem(), []string{f.name})
	if len(d.errs) > 0 {
		t.Errorf("example of %s: %v", name, d.errs)
	}
}

// tagNames lists the names of a struct tag, which reflect does not.
func tagNames(tag string) string {
	var names []string
	for tag != "" {
		name, rest, _ := strings.Cut(tag, ":\"")
		names = append(names, strings.TrimSpace(name))
		for i := 0; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '"' {
				rest = rest[i+1:]
				break
			}
		}
		tag = rest
	}
	return strings.Join(names, " ")
}

// Presets: every word of the enum has one, and every one is a whole model.
func TestPresets(t *testing.T) {
	words := fieldsOf(reflect.TypeFor[Model]())[0].enum
	var names []string
	for _, f := range families {
		for _, s := range f.sizes {
			names = append(names, s.name)
		}
	}
	if diff := cmp.Diff(names, words); diff != "" {
		t.Errorf("words of the key preset: -presets +words:\n%s", diff)
	}
	for _, word := range words {
		s := parse(t, small+"model: {preset: "+word+", vocab: 600}\n")
		want := Model{word, presets[word]}
		want.Vocab = 600
		if diff := cmp.Diff(want, s.Model); diff != "" {
			t.Errorf("%s: -want +got:\n%s", word, diff)
		}
	}
	for _, x := range []struct {
		name, text string
		want       func(m *Model)
	}{
		{"mlp_hidden follows d_model", "{d_model: 128}", func(m *Model) { m.DModel, m.MLPHidden = 128, 512 }},
		{"given mlp_hidden stays", "{d_model: 128, mlp_hidden: 256}", func(m *Model) { m.DModel, m.MLPHidden = 128, 256 }},
		{"mlp_hidden keeps its ratio", "{preset: stories-42m, d_model: 100, heads: 5}", func(m *Model) {
			*m = Model{"stories-42m", presets["stories-42m"]}
			m.DModel, m.Heads, m.MLPHidden = 100, 5, 538 // 2752/512 of 100 is 537.5
		}},
		{"a given share turns", "{rotary: 25%, d_model: 128}", func(m *Model) { m.Rotary, m.DModel, m.MLPHidden = 0.25, 128, 512 }},
		{"false is given", "{tied_head: false, attention_output: false}", func(m *Model) { m.TiedHead, m.AttentionOutput = false, false }},
		{"norm alone", "{norm: layernorm}", func(m *Model) { m.Norm = "layernorm" }},
	} {
		want := Model{"tiny", presets["tiny"]}
		x.want(&want)
		if diff := cmp.Diff(want, parse(t, small+"model: "+x.text+"\n").Model); diff != "" {
			t.Errorf("%s: -want +got:\n%s", x.name, diff)
		}
	}
	got := parse(t, strings.Replace(small, "300k", "300k, batch: 8Ki", 1)+"model: {preset: paper-102m, norm: rmsnorm}\n").Model
	want := Model{"paper-102m", arch.Model{
		DModel: 768, Layers: 12, Heads: 12, Context: 2048, Block: "sequential", Norm: "rmsnorm", NormBias: false, NormEps: 1e-5,
		LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 3072, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02, Vocab: 50304,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paper-102m with rmsnorm: -want +got:\n%s", diff)
	}
}
