package specs

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// Every key says what it is, and every default and example in a tag is a value that the key takes.
func TestTags(t *testing.T) {
	known := map[string]bool{}
	for _, tag := range strings.Fields("yaml doc unit default example need enum key names one min max above below") {
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

// Presets: every word of the enum has one, and every one is a whole model. The numbers of olmo are those of the authors' configuration,
// those of neox the published configuration of Pythia-70m.
func TestPresets(t *testing.T) {
	words := fieldsOf(reflect.TypeFor[Model]())[0].enum
	if len(words) != len(presets) {
		t.Errorf("%d presets for the words %q", len(presets), words)
	}
	for _, word := range words {
		s := parse(t, small+"model: {preset: "+word+", vocab: 600}\n")
		want := presets[word]
		want.Preset, want.Vocab = word, 600
		if diff := cmp.Diff(want, s.Model); diff != "" {
			t.Errorf("%s: -want +got:\n%s", word, diff)
		}
		if want.MLPHidden != 4*want.DModel {
			t.Errorf("%s: mlp_hidden %d, want 4 times d_model %d", word, want.MLPHidden, want.DModel)
		}
	}
	for _, x := range []struct {
		name, text string
		want       func(m *Model)
	}{
		{"mlp_hidden follows d_model", "{d_model: 128}", func(m *Model) { m.DModel, m.MLPHidden = 128, 512 }},
		{"given mlp_hidden stays", "{d_model: 128, mlp_hidden: 256}", func(m *Model) { m.DModel, m.MLPHidden = 128, 256 }},
		{"false is given", "{tied_head: false, attention_output: false}", func(m *Model) { m.TiedHead, m.AttentionOutput = false, false }},
		{"norm alone", "{norm: layernorm}", func(m *Model) { m.Norm = "layernorm" }},
	} {
		want := presets["tiny"]
		want.Preset = "tiny"
		x.want(&want)
		if diff := cmp.Diff(want, parse(t, small+"model: "+x.text+"\n").Model); diff != "" {
			t.Errorf("%s: -want +got:\n%s", x.name, diff)
		}
	}
	got := parse(t, strings.Replace(small, "300k", "300k, batch: 8Ki", 1)+"model: {preset: olmo, norm: rmsnorm}\n").Model
	want := Model{
		Preset: "olmo", DModel: 768, Layers: 12, Heads: 12, Context: 2048, Block: "sequential", Norm: "rmsnorm", NormBias: false, NormEps: 1e-5,
		LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 3072, TiedHead: true, RopeBase: 10000, InitStd: 0.02, Vocab: 50304,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("olmo with rmsnorm: -want +got:\n%s", diff)
	}
}
