package specs

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"ablate/specs/nearest"
)

// scalar reads text, numbers, and true or false.
func (d *decoder) scalar(n *yaml.Node, f field, v reflect.Value, path []string) {
	if n.Kind != yaml.ScalarNode {
		d.wrongType(n, f, v.Type(), path)
		return
	}
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	text := n.Value
	var x float64
	var err error
	switch t := v.Type(); {
	case t == countType:
		var c Count
		c, err = parseCount(text)
		x = float64(c)
		v.SetInt(int64(c))
	case t == fractionType:
		var s Fraction
		s, err = parseFraction(text)
		x = float64(s)
		v.SetFloat(x)
	case t.Kind() == reflect.String:
		d.text(n, f, v, path, quoted)
		return
	case quoted:
		err = errNotNumber
	case t.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			err = errNotNumber
		}
		v.SetBool(text == "true")
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		var i int64
		i, err = parseInt(text)
		x = float64(i)
		v.SetInt(i)
	case t.Kind() == reflect.Float64:
		x, err = parseFloat(text)
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("internal error: key %s has type %v", f.name, t))
	}
	switch {
	case errors.Is(err, errNotNumber), errors.Is(err, errNotWhole):
		d.wrongType(n, f, v.Type(), path)
	case err == errRange:
		d.fail(n, path, "%s is too large for this program", clip(text))
	case err != nil:
		d.fail(n, path, "found %s, %v", clip(text), err)
	case !f.bounds.holds(x):
		d.fail(n, path, "want %s, found %s", f.bounds, clip(text))
	}
}

// text reads words. A number is taken as it is written, so that a partition may be called 2019;
// true and false are not, because half of those who write them mean a word.
func (d *decoder) text(n *yaml.Node, f field, v reflect.Value, path []string, quoted bool) {
	if !quoted && n.ShortTag() == "!!bool" {
		d.fail(n, path, "want %s, found %s; quote it to mean the word%s", wanted(f, v.Type()), n.Value, truthHint(n.Value))
		return
	}
	v.SetString(n.Value)
	if n.Value == "" {
		d.fail(n, path, "is empty")
		return
	}
	if strings.Contains(n.Value, "\x00") {
		d.fail(n, path, "holds a NUL character")
		return
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, n.Value) {
		hint := ""
		if near := nearest.Word(n.Value, f.enum); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		d.fail(n, path, "unknown word %q, want %s%s", clip(n.Value), wanted(f, v.Type()), hint)
		return
	}
	if v.Type().Kind() == reflect.String && f.names != "" && f.typ.Kind() == reflect.String {
		if err := checkName(f.names, n.Value); err != nil {
			d.fail(n, path, "%v", err)
		}
	}
}

func (d *decoder) wrongType(n *yaml.Node, f field, t reflect.Type, path []string) {
	d.fail(n, path, "want %s, found %s", wanted(f, t), describe(n))
}

// wanted says what a value of type t looks like.
func wanted(f field, t reflect.Type) string {
	switch {
	case t == countType:
		return "a whole number such as 100k or 3M"
	case t == fractionType:
		return "a share such as 5% or 0.05"
	case t == wordsType && len(f.enum) > 0:
		return "a list of the words " + strings.Join(f.enum, ", ")
	case t == wordsType:
		return "a word or a list of words"
	}
	switch t.Kind() {
	case reflect.String:
		if len(f.enum) > 0 {
			return "one of " + strings.Join(f.enum, ", ")
		}
		return "text"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list of mixtures, each a list of words or names with shares"
	case reflect.Map:
		return "names, each with its value (name: value)"
	}
	return "keys with values (key: value)"
}

// describe says what a node is, for the end of "want ..., found".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float", "!!bool":
		return clip(n.Value)
	}
	return fmt.Sprintf("the text %q", clip(n.Value))
}

// clip shortens what is quoted in a message to one readable piece.
func clip(text string) string {
	const most = 60
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most]) + "..."
}
