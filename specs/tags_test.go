package specs

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
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
			if i := strings.Index(f.doc, "\n"); i >= 0 {
				for line := range strings.SplitSeq(f.doc[i+1:], "\n") {
					if !strings.HasPrefix(line, "- ") || !strings.HasSuffix(line, ".") || !strings.Contains(line, ": ") {
						t.Errorf("%s: line %q of its list is not \"- word: sentence.\"", name, line)
					}
				}
				for _, word := range f.enum {
					if !strings.Contains(f.doc, "\n- "+word+": ") {
						t.Errorf("%s: its list lacks the word %s", name, word)
					}
				}
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

// No tag is a page: what takes more words belongs into the comment.
func TestTagsAreShort(t *testing.T) {
	const most = 300
	file, err := parser.ParseFile(token.NewFileSet(), "study.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil && len(f.Tag.Value) > most && !strings.Contains(f.Tag.Value, `enum:"`) {
			t.Errorf("field %s has a tag of %d bytes, more than %d", f.Names, len(f.Tag.Value), most)
		}
		return true
	})
}

// comments.go is what the comments in study.go say: every key has one, and no comment is of a key
// that is not there.
func TestComments(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "study.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("// Code generated from the comments of study.go by go test ./specs -update; DO NOT EDIT.\n\npackage specs\n\n" +
		"// comments are the comments of the fields that are keys of a study, by type and field.\nvar comments = map[string]string{\n")
	ast.Inspect(file, func(n ast.Node) bool {
		def, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		of, ok := def.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range of.Fields.List {
			if f.Tag == nil || len(f.Names) == 0 || strings.Contains(f.Tag.Value, `yaml:"-"`) {
				continue
			}
			if f.Doc == nil {
				t.Errorf("%s.%s: no comment", def.Name, f.Names[0])
				continue
			}
			fmt.Fprintf(&b, "%q: %q,\n", def.Name.Name+"."+f.Names[0].Name, unwrapped(f.Doc.Text()))
		}
		return true
	})
	b.WriteString("}\n")
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "comments.go", text)
}

// unwrapped joins the lines of a comment to one for the sentences and one for each item of its
// list.
func unwrapped(comment string) string {
	var out []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case len(out) == 0 || strings.HasPrefix(line, "- "):
			out = append(out, line)
		default:
			out[len(out)-1] += " " + line
		}
	}
	return strings.Join(out, "\n")
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
