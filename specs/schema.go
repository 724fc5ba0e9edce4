package specs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Schema is the study language as a JSON Schema (draft 2020-12), for editors. It accepts every
// study that Parse accepts, and knows nothing of what holds between values: Parse is the authority.
// One exception: JSON has no merge keys, so << is resolved before.
func Schema() []byte {
	defs := object{}
	whole := field{typ: reflect.TypeFor[Study]()}.schema(reflect.TypeFor[Study](), &defs)
	part := field{partial: true}.schema(reflect.TypeFor[Study](), &defs)
	out := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "ablate study"},
		{"description", "Which training data should be mixed? A study of the ablate program."},
	}
	out = append(out, member{"if", object{{"required", []string{"extends"}}}}, member{"then", part}, member{"else", whole}, member{"$defs", defs})
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("internal error: schema: %v", err))
	}
	return append(text, '\n')
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := plainJSON(m.name)
		if err != nil {
			return nil, err
		}
		value, err := plainJSON(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON leaves < > & as they are: the schema is read by people too.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// structSchema describes a struct's keys, of which a partial one need not hold all; the structs
// below it go to defs, once each.
func structSchema(t reflect.Type, partial bool, defs *object) object {
	properties := object{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		if f.partial = partial; f.need && !partial {
			required = append(required, f.name)
		}
		s := object{{"description", description(f)}}
		s = append(s, f.schema(f.typ, defs)...)
		if f.preset != "" {
			s = append(s, member{"default", yamlValue(f.preset)})
		}
		if f.example != "" {
			s = append(s, member{"examples", []any{yamlValue(f.example)}})
		}
		properties = append(properties, member{f.name, s})
	}
	out := object{{"type", "object"}, {"additionalProperties", false}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	return out
}

func description(f field) string {
	text := f.doc
	if f.unit == "" {
		return text
	}
	unit := "Unit: " + f.unit + "."
	if strings.Contains(text, "\n") { // behind a list, a line of its own
		return text + "\n" + unit
	}
	return text + " " + unit
}

const (
	countPattern    = `^\+?[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9]{1,3})?([KMGT]i|[kMGBT])?$`
	fractionPattern = `^\+?([0-9][0-9_]*)?(\.[0-9_]*)?([eE][+-]?[0-9]{1,3})?%?$`
)

// schema describes a value of type t under the key f.
func (f field) schema(t reflect.Type, defs *object) object {
	switch {
	case t == overlayType:
		return field{partial: true}.schema(reflect.TypeFor[Study](), defs)
	case twoForms(t):
		shares := f
		shares.enum = nil
		return object{{"anyOf", []any{f.schema(t.Field(0).Type, defs), shares.schema(t.Field(1).Type, defs)}}}
	case t == countType:
		return object{{"type", []string{"integer", "string"}}, {"minimum", f.floor()}, {"pattern", countPattern}}
	case t == fractionType:
		return object{{"type", []string{"number", "string"}}, {"minimum", 0}, {"maximum", 1}, {"pattern", fractionPattern}}
	case t == wordsType:
		one := f.schema(t.Elem(), defs)
		many := object{{"type", "array"}, {"items", one}}
		if f.need {
			many = append(many, member{"minItems", 1})
		}
		return object{{"anyOf", []any{one, many}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return f.schema(t.Elem(), defs)
	case reflect.Struct:
		name := snake(t.Name())
		if f.partial {
			name = "part_of_" + name
		}
		if !defs.has(name) {
			at := len(*defs)
			*defs = append(*defs, member{name, nil}) // its place is in the order of first use
			(*defs)[at].value = structSchema(t, f.partial, defs)
		}
		s := object{{"$ref", "#/$defs/" + name}}
		if f.one {
			s = append(s, member{"minProperties", 1}, member{"maxProperties", 1})
		}
		return s
	case reflect.Map:
		each := f
		each.need, each.one = false, false
		s := object{{"type", "object"}, {"additionalProperties", each.schema(t.Elem(), defs)}}
		if f.names != "" {
			s = append(s, member{"propertyNames", object{{"pattern", namePatterns[f.names]}, {"maxLength", maxName[f.names]}}})
		}
		if f.need && !f.partial {
			s = append(s, member{"minProperties", 1})
		}
		return s
	case reflect.Slice:
		each := f
		each.need = true
		return object{{"type", "array"}, {"items", each.schema(t.Elem(), defs)}}
	case reflect.String:
		if len(f.enum) > 0 {
			return object{{"enum", f.enum}}
		}
		s := object{{"type", []string{"string", "number"}}, {"minLength", 1}}
		if f.names != "" && f.typ.Kind() == reflect.String {
			s = append(s, member{"pattern", namePatterns[f.names]}, member{"maxLength", maxName[f.names]})
		}
		return s
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int64:
		return append(object{{"type", "integer"}}, f.bounds.schema()...)
	case reflect.Float64:
		return append(object{{"type", "number"}}, f.bounds.schema()...)
	}
	panic(fmt.Sprintf("internal error: key %s has type %v", f.name, t))
}

// floor is the smallest number of a Count.
func (f field) floor() float64 {
	if f.bounds.min != nil {
		return *f.bounds.min
	}
	return 0
}

func (b bounds) schema() object {
	var s object
	for _, x := range []struct {
		name  string
		bound *float64
	}{{"minimum", b.min}, {"maximum", b.max}, {"exclusiveMinimum", b.above}, {"exclusiveMaximum", b.below}} {
		if x.bound != nil {
			s = append(s, member{x.name, *x.bound})
		}
	}
	return s
}

func (o object) has(name string) bool {
	for _, m := range o {
		if m.name == name {
			return true
		}
	}
	return false
}

// snake turns TokenizerTrain into tokenizer_train.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// yamlValue is the value of a default or example tag, as JSON can hold it.
func yamlValue(text string) any {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("internal error: tag %q: %v", text, err))
	}
	return v
}
