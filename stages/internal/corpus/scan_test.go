package corpus

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// oracle is another reader of JSON: its parser bounds the depth but takes much that is not JSON,
// its validator is strict.
func oracle(line []byte) (*fastjson.Value, error) {
	v, err := fastjson.ParseBytes(line)
	if err == nil {
		err = fastjson.ValidateBytes(line)
	}
	return v, err
}

// find is the last value that a path leads to, nil where that is none or null.
func find(v *fastjson.Value, steps []pathStep) *fastjson.Value {
	for _, s := range steps {
		var next *fastjson.Value
		if s.key == "" {
			if a := v.GetArray(); s.index < len(a) {
				next = a[s.index]
			}
		} else if o := v.GetObject(); o != nil {
			o.Visit(func(k []byte, x *fastjson.Value) {
				if string(k) == s.key {
					next = x
				}
			})
		}
		if v = next; v == nil {
			return nil
		}
	}
	if v.Type() == fastjson.TypeNull {
		return nil
	}
	return v
}

// FuzzScan holds the scanner against another reader: the same lines are JSON, and the same values
// lie at the ends of paths.
func FuzzScan(f *testing.F) {
	sources := []string{"a", "a.b", "a.b[1]", "a[0]", "a[0][1].c", "t"}
	for _, s := range []string{
		`{"a":1,"t":"x"}`, `{"a":{"b":[1,"\u00e9\ud83d\ude00"]},"a":{}}`, `{"a":[[1,{"c":"é"}],2,{}] , "\u0061":null}`, `{"a":{"b":1},"a":2,"t":"\""}`,
		` {} `, `{"t":-0.5e+3}`, `{"t":01}`, `{"t":1.}`, `{"t":.5}`, `{"t":+1}`, `{"t":1e}`, `{"t":tru}`, `{"t":true,}`, `{"t":[1,]}`, `{"t" 1}`, `{"t":"\x"}`,
		`{"t":"abcdefg` + "\x1f" + `"}`, `{"t":"abcdefgh\`, `{"t":"\ud83d"}`, `[1]`, `"t"`, `12`, `{"a":1}x`, "{\"t\":\"\x7f\xff\xc3\"}", `{"t":NaN}`, `{"":1}`,
		strings.Repeat(`{"a":`, 299) + "1" + strings.Repeat("}", 299), strings.Repeat(`[`, 400),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var root node
		s := scanner{found: make([]span, len(sources))}
		var paths []fieldPath
		for i, source := range sources {
			p, err := parsePath(source)
			if err != nil {
				t.Fatal(err)
			}
			root.add(p.steps, i)
			paths = append(paths, p)
		}
		at, err := s.scan(line, &root)
		v, want := oracle(line)
		if (err == nil) != (want == nil) {
			t.Fatalf("%q: error %v, the other reader's: %v", line, err, want)
		}
		if at < 0 || at > len(line) {
			t.Fatalf("%q: error %v at byte %d", line, err, at)
		}
		if err != nil || bytes.Contains(bytes.ToLower(line), []byte(`\ud`)) { // of halves of pairs each has its own view
			return
		}
		for i, p := range paths {
			got, x := s.found[i], find(v, p.steps)
			if (got.kind == 0) != (x == nil) {
				t.Fatalf("%q: %s is %+v, the other reader has %v", line, p.source, got, x)
			}
			if x == nil {
				continue
			}
			raw := line[got.start:got.end]
			if x.Type() != fastjson.TypeString {
				if a, err := fastjson.ParseBytes(raw); err != nil || string(a.MarshalTo(nil)) != string(x.MarshalTo(nil)) {
					t.Fatalf("%q: %s is %q, the other reader has %s", line, p.source, raw, x)
				}
				continue
			}
			text, _ := unescape(nil, raw)
			if string(text) != string(x.GetStringBytes()) || got.ascii != (strings.IndexFunc(string(raw), func(r rune) bool { return r >= utf8.RuneSelf }) < 0) {
				t.Fatalf("%q: %s is %q (ascii %v), the other reader has %q", line, p.source, text, got.ascii, x.GetStringBytes())
			}
		}
	})
}

func FuzzValidUTF8(f *testing.F) {
	f.Add([]byte("plain text of ascii – and a dash, éé and more\xff"))
	f.Add([]byte("aaaaaaa\xc3"))
	f.Fuzz(func(t *testing.T, s []byte) {
		if got, want := validUTF8(s), utf8.Valid(s); got != want {
			t.Errorf("validUTF8(%q) = %v", s, got)
		}
	})
}
