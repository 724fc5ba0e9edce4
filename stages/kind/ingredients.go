package kind

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"ablate/cache"
)

// KeyInputs begins the list of what goes into the key of a step, in words: its kind, the version of
// its kind, and its parameters as Flatten gives them. The caller appends each input, in the order
// of the step, under its InputLabel with its content digest; there is room for so many. Nothing
// else may go into a key: no name, path, time or whitespace.
func KeyInputs(name string, version int, flat []cache.KeyInput, inputs int) []cache.KeyInput {
	ing := make([]cache.KeyInput, 0, 2+len(flat)+inputs)
	ing = append(ing,
		cache.KeyInput{Label: "kind", Value: name},
		cache.KeyInput{Label: "kind version", Value: strconv.Itoa(version)})
	return append(ing, flat...)
}

// InputLabel is the label of the input with a role.
func InputLabel(role string) string { return "input " + role }

// MostList is the longest list among parameters, in bytes of JSON, that is spelt out in a key. The
// scores of a study of thousands of mixtures are longer: one by one, those of a hundred thousand
// steps would make an entry of more than the cache reads.
const MostList = 1 << 20

// Flatten turns parameters, a JSON object, into one line per value, so that a difference can be
// named: "param model.layers" = "2". A list of more than MostList is one line, "param
// scores.sha256" = its digest.
func Flatten(params json.RawMessage) ([]cache.KeyInput, error) {
	decode := func(data []byte, to any) error {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		return dec.Decode(to)
	}
	v := map[string]any{}
	if len(params) <= MostList {
		if err := decode(params, &v); err != nil {
			return nil, fmt.Errorf("parameters %.200s: %w", params, err)
		}
	} else {
		var parts map[string]json.RawMessage
		if err := decode(params, &parts); err != nil {
			return nil, fmt.Errorf("parameters %.200s...: %w", params, err)
		}
		for name, part := range parts {
			if len(part) > MostList && part[0] == '[' {
				// Unquoted, as the digests of inputs.
				v[name+".sha256"] = json.Number(cache.DigestOf(part).String())
				continue
			}
			var x any
			if err := decode(part, &x); err != nil {
				return nil, fmt.Errorf("parameter %s: %w", name, err)
			}
			v[name] = x
		}
	}
	return flat(nil, "", v), nil
}

// flat appends the lines of a value at a path.
func flat(out []cache.KeyInput, path string, v any) []cache.KeyInput {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			out = flat(out, strings.TrimPrefix(path+"."+k, "."), v[k])
		}
	case []any:
		// The length keeps [] apart from an absent value, and a list from its longer neighbour.
		out = append(out, cache.KeyInput{Label: "param " + path + ".length", Value: strconv.Itoa(len(v))})
		for i, e := range v {
			out = flat(out, path+"["+strconv.Itoa(i)+"]", e)
		}
	case string:
		out = append(out, cache.KeyInput{Label: "param " + path, Value: strconv.Quote(v)})
	default: // json.Number, bool, nil
		out = append(out, cache.KeyInput{Label: "param " + path, Value: fmt.Sprint(v)})
	}
	return out
}
