package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is the entry of testdata/entry.json, with what is awkward in JSON.
func sample() *Entry {
	in := append([]KeyInput{}, worked...)
	in = append(in, KeyInput{"input model", DigestOf([]byte("model")).String()},
		KeyInput{"awkward", "a\"b\\c\n\t<&>\u2028é\x7f"}, KeyInput{"", ""})
	return &Entry{
		Format: 1, Key: KeyOf(in), Kind: "eval", KeyInputs: in,
		Outputs: []Output{
			{"figures/a b.svg", DigestOf([]byte("svg")), 3},
			{"losses.parquet", DigestOf([]byte("parquet")), 7},
		},
		Provenance: Provenance{Host: "h1", OS: "linux", Arch: "amd64", CPU: "Some CPU", Go: "go1.26", Ablate: "v0.1.0",
			Threads: 2, Started: "2026-11-01T00:00:00Z", WallSeconds: 1.25, Step: "eval/pairs/a+b", Study: "demo"},
	}
}

// seal gives bytes the sum of an entry's file, so that a test gets past it.
func seal(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return []byte(body + sumHead + hex.EncodeToString(sum[:]) + sumTail)
}

func TestEntryGolden(t *testing.T) {
	want := sample()
	data, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "entry.json", data)
	got, err := decode(data, want.Key)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("decode(encode(e)) differs (-want +got):\n%s", d)
	}
	// Another program will read it with a general JSON reader.
	var general struct {
		Entry
		Sum string `json:"sum"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&general); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, &general.Entry); d != "" {
		t.Errorf("as JSON (-want +got):\n%s", d)
	}
}

func TestDecodeRefuses(t *testing.T) {
	e := sample()
	data, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	body := string(data[:len(data)-sumLen])
	other := KeyOf([]KeyInput{{"other", ""}})
	svg := DigestOf([]byte("svg")).String()
	edit := func(from, to string) []byte {
		if !strings.Contains(body, from) {
			t.Fatalf("the sample has no %q", from)
		}
		return seal(strings.Replace(body, from, to, 1))
	}
	for _, tc := range []struct {
		name string
		data []byte
		key  Key
		want string
	}{
		{"nothing", nil, e.Key, "does not end in its sum"},
		{"truncated", data[:len(data)/2], e.Key, "does not end in its sum"},
		{"last byte gone", data[:len(data)-1], e.Key, "does not end in its sum"},
		{"zeros", make([]byte, len(data)), e.Key, "does not end in its sum"},
		{"flipped byte", bytes.Replace(data, []byte("losses"), []byte("lossez"), 1), e.Key, "its file says"},
		{"sum in capitals", append(append([]byte{}, data[:len(data)-70]...), bytes.ToUpper(data[len(data)-70:])...), e.Key, "its file says"},
		{"not JSON", seal("hello "), e.Key, "does not parse: byte 1"},
		{"new format", edit(`"format":1`, `"format":2`), e.Key, "has format 2, this program reads 1"},
		{"format with zeros", edit(`"format":1`, `"format":01`), e.Key, "want a whole number"},
		{"wrong key", edit(e.Key.String(), other.String()), e.Key, "says it is " + other.String()},
		{"asked for another", data, other, "says it is " + e.Key.String()},
		{"edited key input", edit(`"value":"3"`, `"value":"4"`), e.Key, "key inputs give key"},
		{"no kind", edit(`"kind":"eval"`, `"kind":""`), e.Key, "kind \"\" is not"},
		{"long kind", edit(`"kind":"eval"`, `"kind":"`+strings.Repeat("k", 129)+`"`), e.Key, "is not 1 to 128 bytes"},
		{"unknown member", edit("\"kind\":", "\"x\":1,\"kind\":"), e.Key, "does not parse"},
		{"white space", edit("\"kind\":", "\"kind\": "), e.Key, "want a string"},
		{"size negative", edit(`"size":3`, `"size":-3`), e.Key, "has -3 bytes"},
		{"size too large", edit(`"size":3`, `"size":9223372036854775808`), e.Key, "want a whole number"},
		{"size a fraction", edit(`"size":3`, `"size":3.5`), e.Key, "want a whole number"},
		{"digest short", edit(svg, svg[1:]), e.Key, "want 64 hexadecimal digits"},
		{"digest a path", edit(svg, "../../../"+svg[9:]), e.Key, "want 64 hexadecimal digits"},
		{"names unsorted", edit("figures/a b.svg", "z.svg"), e.Key, "are not sorted"},
		{"name twice", edit("figures/a b.svg", "losses.parquet"), e.Key, "are not sorted"},
		{"name is a directory too", edit("losses.parquet", "figures/a b.svg/x"), e.Key, "is also the directory of"},
		{"name leaves", edit("figures/a b.svg", "../../version"), e.Key, "is not a plain relative path"},
		{"name absolute", edit("figures/a b.svg", "/etc/passwd"), e.Key, "is not a plain relative path"},
		{"provenance broken", edit(`"threads":2`, `"threads":"two"`), e.Key, "provenance"},
		{"provenance open", edit(`"study":"demo"}`, `"study":"demo"`), e.Key, "provenance"},
		{"bad escape", edit(`\"b`, `\xb`), e.Key, "want a JSON string"},
		{"control character", edit(`"eval"`, "\"ev\x01al\""), e.Key, "without control characters"},
		{"not UTF-8", edit(`"eval"`, "\"ev\xffal\""), e.Key, "bytes of UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decode(tc.data, tc.key)
			if err == nil {
				t.Fatalf("accepted: %+v", got)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q, want %q", err, tc.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		name string
		ok   bool
	}{
		{"a", true}, {"a/b/c.parquet", true}, {"a b", true}, {"ünï", true}, {".hidden", true}, {"..a", true},
		{strings.Repeat("n", maxNameBytes), true},
		{"", false}, {".", false}, {"..", false}, {"../a", false}, {"a/../b", false}, {"a/./b", false}, {"a//b", false},
		{"/a", false}, {"a/", false}, {`a\b`, false}, {`..\a`, false}, {"a\nb", false}, {"a\x00b", false}, {"a\xffb", false},
		{"a\u0085b", false}, {strings.Repeat("n", maxNameBytes+1), false},
	} {
		if err := checkName(tc.name); (err == nil) != tc.ok {
			t.Errorf("checkName(%q) = %v, want ok %v", tc.name, err, tc.ok)
		}
	}
}

// FuzzDecode: whatever the bytes, no panic, and what is accepted is fit to use, comes out of encode
// again and stays inside the directory it is joined to.
func FuzzDecode(f *testing.F) {
	e := sample()
	data, err := e.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data[:len(data)-sumLen]))
	f.Add("{\"format\":1,\n\"key\":")
	f.Fuzz(func(t *testing.T, body string) {
		data := seal(body)
		var key Key
		if i := strings.Index(body, `"key":"`); i >= 0 && len(body) >= i+71 {
			if k, err := ParseKey(body[i+7 : i+71]); err == nil {
				key = k
			}
		}
		got, err := decode(data, key)
		if err != nil {
			return
		}
		for _, o := range got.Outputs {
			if !filepath.IsLocal(filepath.FromSlash(o.Name)) || o.Size < 0 {
				t.Fatalf("accepted output %+v", o)
			}
		}
		again, err := got.encode()
		if err != nil {
			t.Fatalf("accepted, but not encoded: %v", err)
		}
		back, err := decode(again, key)
		if err != nil {
			t.Fatalf("encoded, but not accepted: %v", err)
		}
		if d := cmp.Diff(got, back); d != "" {
			t.Fatalf("round trip (-want +got):\n%s", d)
		}
	})
}

// FuzzCommitThenRead: whatever is committed is found again as it was, or refused before.
func FuzzCommitThenRead(f *testing.F) {
	f.Add("eval", "label", "value", "dir/name", "text")
	f.Add("", "\xff", "\x00", "../up", "")
	f.Add("k", "a", "\u2028\"\\", "n\\n", "x")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, kind, label, value, name, text string) {
		c := mustOpen(t, dir)
		defer c.Close()
		in := []KeyInput{{label, value}, {"kind", kind}, {"name", name}, {"text", text}}
		b, err := c.Begin(KeyOf(in))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Abort()
		path := filepath.Join(b.Dir, name)
		if !filepath.IsLocal(name) || os.MkdirAll(filepath.Dir(path), 0o777) != nil || os.WriteFile(path, []byte(text), 0o666) != nil {
			return // no such file can be made
		}
		want, err := b.Commit(kind, in, Provenance{Step: label})
		if err != nil {
			if _, err := c.Lookup(KeyOf(in)); err == nil {
				t.Fatal("commit refused, and the entry is there")
			}
			return
		}
		got, err := c.Lookup(KeyOf(in))
		if err != nil {
			t.Fatal(err)
		}
		// JSON has no way to write a step name that is not UTF-8.
		want.Provenance.Step = strings.ToValidUTF8(want.Provenance.Step, "\ufffd")
		got.Provenance.Step = strings.ToValidUTF8(got.Provenance.Step, "\ufffd")
		if d := cmp.Diff(want.Outputs, got.Outputs); d != "" {
			t.Fatalf("outputs (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want.KeyInputs, got.KeyInputs); d != "" {
			t.Fatalf("key inputs (-want +got):\n%s", d)
		}
		blob, err := c.Blob(got.Outputs[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(blob); err != nil || string(data) != text {
			t.Fatalf("blob holds %q, %v, want %q", data, err, text)
		}
	})
}
