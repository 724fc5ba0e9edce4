package specs

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Change is a value in which two studies differ.
type Change struct {
	Path         string // keys joined by dots: train.lr
	Old, New     string // values as one would write them; "" where there is none
	OldAt, NewAt Position
}

// Diff lists the values in which two studies differ, in the order of the language's keys. It
// compares what they mean: how a number is written, the order of keys, and a default that one of
// them spells out are no difference.
func Diff(old, now *Study) []Change {
	var out []Change
	was, is := values(old), values(now)
	at := func(s *Study, path []string, there bool) Position {
		if !there {
			return Position{File: s.Path}
		}
		return s.At(path...)
	}
	for _, v := range is.list {
		before, ok := was.by[v.name]
		if !ok || before != v.text {
			out = append(out, Change{v.name, before, v.text, at(old, v.path, ok), now.At(v.path...)})
		}
	}
	for _, v := range was.list {
		if _, ok := is.by[v.name]; !ok {
			out = append(out, Change{v.name, v.text, "", old.At(v.path...), at(now, v.path, false)})
		}
	}
	return out
}

// value is one value of a study.
type value struct {
	path []string
	name string // path joined by dots
	text string
}

type valueList struct {
	list []value
	by   map[string]string
}

func values(s *Study) valueList {
	l := valueList{by: map[string]string{}}
	l.walk(reflect.ValueOf(s).Elem(), nil)
	return l
}

// walk takes structs and maps apart; a list is one value.
func (l *valueList) walk(v reflect.Value, path []string) {
	if twoForms(v.Type()) {
		if v.Field(1).Len() > 0 {
			l.walk(v.Field(1), path)
		} else {
			l.walk(v.Field(0), path)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			l.walk(v.Elem(), path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key, tagged := f.Tag.Lookup("yaml")
			switch {
			case f.Anonymous && !tagged:
				l.walk(v.Field(i), path)
			case tagged && key != "-":
				l.walk(v.Field(i), append(slices.Clone(path), key))
			}
		}
	case reflect.Map:
		for _, k := range sortedNames(v) {
			l.walk(v.MapIndex(k), append(slices.Clone(path), k.String()))
		}
	default:
		name := strings.Join(path, ".")
		text := plain(v)
		l.list, l.by[name] = append(l.list, value{path, name, text}), text
	}
}

func sortedNames(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// plain writes a value as YAML would have it in one line.
func plain(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Struct: // of two forms: the others are taken apart
		if v.Field(1).Len() > 0 {
			return plain(v.Field(1))
		}
		return plain(v.Field(0))
	case reflect.Map:
		var parts []string
		for _, k := range sortedNames(v) {
			parts = append(parts, k.String()+": "+plain(v.MapIndex(k)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = plain(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.String:
		if v.Len() == 0 {
			return `""`
		}
		return v.String()
	}
	return fmt.Sprint(v.Interface())
}
