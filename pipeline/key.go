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

// keyer lists ingredients. Most steps of a study share their parameters with thousands of others,
// so what is read out of parameters is kept. It is not safe for concurrent use.
type keyer struct {
	params map[string]*readParams // by the parameters themselves
	labels map[string]string      // of inputs, by role
}

// readParams is what a keyer reads out of parameters, each when it is first wanted.
type readParams struct {
	flat   []cache.Ingredient
	recipe *kind.Recipe // of a step that makes several models into one
}

// keptParams is the longest parameters worth keeping, in bytes: longer ones list all scores of a
// study, and are of one step.
const keptParams = 1 << 16

func newKeyer() *keyer { return &keyer{params: map[string]*readParams{}, labels: map[string]string{}} }

func (k *keyer) read(s *Step) *readParams {
	r := k.params[string(s.Params)]
	if r == nil {
		r = &readParams{}
		if len(s.Params) <= keptParams {
			k.params[string(s.Params)] = r
		}
	}
	return r
}

// ingredients lists what goes into the key of a step of a kind, in words: kind, kind version, each
// parameter on a line of its own, each input's role and content digest. Nothing else may: no name,
// path, time or whitespace.
func (k *keyer) ingredients(of kind.Kind, s *Step, inputs []cache.Digest) []cache.Ingredient {
	r := k.read(s)
	if r.flat == nil {
		r.flat = flatten(s.Params)
	}
	ing := make([]cache.Ingredient, 0, 2+len(r.flat)+len(s.Inputs))
	ing = append(ing,
		cache.Ingredient{Label: "kind", Value: of.Name},
		cache.Ingredient{Label: "kind version", Value: strconv.Itoa(of.Version())})
	ing = append(ing, r.flat...)
	for i, in := range s.Inputs {
		label, ok := k.labels[in.Role]
		if !ok {
			label = "input " + in.Role
			k.labels[in.Role] = label
		}
		ing = append(ing, cache.Ingredient{Label: label, Value: inputs[i].String()})
	}
	return ing
}

// mostList is the longest list among parameters, in bytes of JSON, that is spelt out in a key. The
// scores of a study of thousands of mixtures are longer: one by one, those of a hundred thousand
// steps would make an entry of more than the cache reads.
const mostList = 1 << 20

// flatten turns parameters into one line per value, so that a difference can be named: "param
// model.layers" = "2". A list of more than mostList is one line, "param scores.sha256" = its
// digest.
func flatten(params json.RawMessage) []cache.Ingredient {
	decode := func(data []byte, to any) {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(to); err != nil {
			panic(fmt.Sprintf("internal error: parameters %s: %v", params, err)) // we made them
		}
	}
	var out []cache.Ingredient
	v := map[string]any{}
	if len(params) <= mostList {
		decode(params, &v)
	} else {
		var parts map[string]json.RawMessage
		decode(params, &parts)
		for name, part := range parts {
			if len(part) > mostList && part[0] == '[' {
				v[name+".sha256"] = json.Number(cache.DigestOf(part).String()) // unquoted, as the digests of inputs
				continue
			}
			var x any
			decode(part, &x)
			v[name] = x
		}
	}
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

// canonical is the JSON form of parameters: struct fields in order, map keys sorted, no
// insignificant space.
func canonical(params any) json.RawMessage {
	b, err := json.Marshal(params)
	if err != nil {
		panic(fmt.Sprintf("internal error: parameters %#v: %v", params, err))
	}
	return b
}
