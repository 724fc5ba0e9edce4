package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"ablate/cache"
	"ablate/stages/kind"
)

// ingredients lists what goes into a step's key, in words: kind, kind version, each parameter on a line of its own, each input's role and
// content digest. Nothing else may: no name, path, time or whitespace.
func ingredients(s *Step, inputs []cache.Digest) []cache.Ingredient {
	ing := []cache.Ingredient{
		{Label: "kind", Value: s.Kind},
		{Label: "kind version", Value: strconv.Itoa(kind.Versions[s.Kind])},
	}
	ing = append(ing, flatten(s.Params)...)
	for i, in := range s.Inputs {
		ing = append(ing, cache.Ingredient{Label: "input " + in.Role, Value: inputs[i].String()})
	}
	return ing
}

// flatten turns parameters into one line per value, so that a difference can be named: "param model.layers" = "2".
func flatten(params json.RawMessage) []cache.Ingredient {
	dec := json.NewDecoder(bytes.NewReader(params))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(fmt.Sprintf("internal error: parameters %s: %v", params, err)) // we made them
	}
	var out []cache.Ingredient
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				walk(strings.TrimPrefix(path+"."+k, "."), v[k])
			}
		case []any:
			// The length keeps [] apart from an absent value, and a list from its longer neighbour.
			out = append(out, cache.Ingredient{Label: "param " + path + ".length", Value: strconv.Itoa(len(v))})
			for i, e := range v {
				walk(path+"["+strconv.Itoa(i)+"]", e)
			}
		case string:
			out = append(out, cache.Ingredient{Label: "param " + path, Value: strconv.Quote(v)})
		default: // json.Number, bool, nil
			out = append(out, cache.Ingredient{Label: "param " + path, Value: fmt.Sprint(v)})
		}
	}
	walk("", v)
	return out
}

// canonical is the JSON form of parameters: struct fields in order, map keys sorted, no insignificant space.
func canonical(params any) json.RawMessage {
	b, err := json.Marshal(params)
	if err != nil {
		panic(fmt.Sprintf("internal error: parameters %#v: %v", params, err))
	}
	return b
}
