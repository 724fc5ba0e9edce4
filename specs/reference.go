package specs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ablate/specs/arch"
)

// Markdown is the reference of the study language, every key in the order of the file. It is kept
// as REFERENCE.md.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString(referenceHead)
	seen := map[reflect.Type]bool{}
	section(&b, "", reflect.TypeFor[Study](), seen)
	presetTable(&b)
	return []byte(b.String())
}

const referenceHead = `# The study language

Every key of a study, version 1. This page is generated from the comments and tags of specs/study.go and specs/arch/arch.go, as is the JSON Schema (` + "`ablate schema`" + `).

What a value looks like:

| in the column *value* | is written |
| --- | --- |
| count | a whole number: ` + "`300000`, `300_000`, `300k`, `2.5M`, `1B`" + ` (k, M, G or B, T are powers of 1000); ` + "`8Ki`" + ` = 8192 (Ki, Mi, Gi, Ti are powers of 1024) |
| share | ` + "`5%` or `0.05`" + `, from 0 to 1 |
| whole number, number | decimal digits; ` + "`1e-3`" + ` where it need not be whole |
| true or false | just these two words |
| text | quoted where YAML wants it; a number is taken as it is written |
| words | ` + "`[a, b]`, or `a`" + ` for one |
| names | a mapping whose keys are names of your choice: letters, digits, ` + "`-`, `_`, `.`" + ` (names of partitions are free text) |

*Reruns* says what a change of the value makes run again; all else comes from the cache. **Bold** keys must be given. Anchors, aliases and
merge keys (` + "`<<`" + `) work; tags do not.
`

// section writes the keys of one struct as a table, then the sections of the structs below it.
func section(b *strings.Builder, path string, t reflect.Type, seen map[reflect.Type]bool) {
	seen[t] = true
	fields := fieldsOf(t)
	title := path
	if title == "" {
		title = "A study"
	}
	fmt.Fprintf(b, "\n## %s\n\n| key | value | default | meaning | example | reruns |\n| --- | --- | --- | --- | --- | --- |\n", title)
	type below struct {
		path string
		t    reflect.Type
	}
	var next []below
	for _, f := range fields {
		key := f.name
		if f.need {
			key = "**" + key + "**"
		}
		inner, step := f.typ, f.name
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Map {
			if inner.Kind() == reflect.Map {
				step += ".NAME"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != overlayType && !twoForms(inner) {
			next = append(next, below{strings.TrimPrefix(path+"."+step, "."), inner})
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", key, f.values(), code(f.preset), docCell(f), code(f.example), cell(f.effect))
	}
	for _, n := range next {
		if !seen[n.t] {
			section(b, n.path, n.t, seen)
		}
	}
}

// values says what may be written, with unit and bounds.
func (f field) values() string {
	var text string
	switch t := f.typ; {
	case twoForms(t) && len(f.enum) > 0:
		text = "`" + strings.Join(f.enum, "`, `") + "`, or names, each with a share"
	case twoForms(t):
		text = "a share, or names, each with a share"
	case len(f.enum) > 0:
		text = "`" + strings.Join(f.enum, "`, `") + "`"
		if t == wordsType {
			text = "words: " + text
		}
	case t == countType:
		text = "count"
	case t == overlayType:
		text = "keys of a study"
	case t == fractionType:
		text = "share"
	case t == wordsType:
		text = "words"
	case t.Kind() == reflect.Slice:
		text = "list of lists of words, or of names, each with a share"
	case t.Kind() == reflect.Bool:
		text = "true or false"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		text = "whole number"
	case t.Kind() == reflect.Float64:
		text = "number"
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		text = "names, each with text"
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Int:
		text = "names, each with a whole number"
	case t.Kind() == reflect.Map:
		text = "names, each with the keys below"
	case t.Kind() == reflect.String:
		text = "text"
	case f.one:
		text = "exactly one of the keys below"
	default:
		text = "the keys below"
	}
	if f.unit != "" {
		text += ", " + f.unit
	}
	if bounds := f.bounds.String(); bounds != "" {
		text += ", " + bounds
	}
	return text
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

// docCell is the documentation of a key in a cell of a table, which has no lists: a line for each
// item, its words as code.
func docCell(f field) string {
	lines := strings.Split(f.doc, "\n")
	for i, line := range lines {
		item, ok := strings.CutPrefix(line, "- ")
		word, says, found := strings.Cut(item, ": ")
		if ok && found && slices.Contains(f.enum, word) {
			lines[i] = "• " + code(word) + ": " + cell(says)
		} else if ok {
			lines[i] = "• " + cell(item)
		} else {
			lines[i] = cell(line)
		}
	}
	return strings.Join(lines, "<br>")
}

// cell protects what Markdown would take for itself: bars, and the stars of file patterns.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`).Replace(text)
}

// presetTable writes what the presets of the model hold: the words of each family, then its sizes.
func presetTable(b *strings.Builder) {
	b.WriteString(presetHead)
	b.WriteString("\n| key |")
	for _, f := range families {
		fmt.Fprintf(b, " %s |", f.name)
	}
	fmt.Fprintf(b, "\n| ---%s |\n", strings.Repeat(" | ---", len(families)))
	ofSizes := []string{"preset", "d_model", "layers", "heads", "context", "mlp_hidden"}
	for _, f := range fieldsOf(reflect.TypeFor[arch.Model]()) {
		if slices.Contains(ofSizes, f.name) {
			continue
		}
		fmt.Fprintf(b, "| %s |", f.name)
		for _, family := range families {
			value := reflect.ValueOf(family.words).FieldByIndex(f.index).Interface()
			if f.name == "vocab" && value == 0 {
				value = "as the tokenizer"
			}
			fmt.Fprintf(b, " %s |", presetValue(value))
		}
		b.WriteString("\n")
	}
	for _, f := range families {
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n", f.name, f.about)
		fmt.Fprintf(b, "| %s | parameters | without embedding and head |\n| ---%s |\n", strings.Join(ofSizes, " | "), strings.Repeat(" | ---", len(ofSizes)+1))
		for _, s := range f.sizes {
			all, embedding := f.preset(s).Parameters()
			whole := grouped(all)
			if f.words.Vocab == 0 {
				whole += fmt.Sprintf(" and %d for each id of the vocabulary", s.dModel)
			}
			fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %s | %s |\n", s.name, s.dModel, s.layers, s.heads, s.context, s.mlpHidden, whole, grouped(all-embedding))
		}
	}
}

const presetHead = `
## Presets of the model

A key that is given replaces the preset's value. Two follow others: mlp_hidden keeps the preset's ratio to d_model, and norm_bias is false
with rmsnorm. Presets named after published models have their shapes and their numbers of parameters, which tests compare with the published
ones; weights and training are the study's own.
`

func presetValue(value any) string {
	switch v := value.(type) {
	case float64:
		return number(v)
	case Fraction:
		return percent(v)
	}
	return fmt.Sprint(value)
}

// grouped writes a whole number in groups of three digits.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
