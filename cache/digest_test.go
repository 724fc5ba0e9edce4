package cache

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// golden compares got with a file of testdata. A change of these files is a change of the format: a
// line in FORMAT.md, section 11.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\ngot  %q\nwant %q", path, got, want)
	}
}

// worked is the example of FORMAT.md, section 3.
var worked = []KeyInput{{"kind", "eval"}, {"kind version", "3"}, {"params", `{"k":"v:"}`}}

// Its key, computed by: sha256sum testdata/key.txt
const workedKey = "d9d5b6a658475b08ecd57b8e35fb36fa7caf06e41156dcd784da3853ee347b2e"

func TestKeyBytes(t *testing.T) {
	text := appendKeyText(nil, worked)
	golden(t, "key.txt", text)
	if got := KeyOf(worked).String(); got != workedKey {
		t.Errorf("key of the worked example is %s, want %s", got, workedKey)
	}
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "\n```\n"+string(text)+"```\n\nkey: `"+workedKey+"`\n") {
		t.Errorf("FORMAT.md does not show the worked example as it is:\n%skey: %s", text, workedKey)
	}
}

// Lists that a careless concatenation would confuse.
func TestKeyIsUnambiguous(t *testing.T) {
	lists := map[string][]KeyInput{
		"none":            {},
		"empty":           {{"", ""}},
		"two empty":       {{"", ""}, {"", ""}},
		"label only":      {{"a", ""}},
		"value only":      {{"", "a"}},
		"both":            {{"a", "b"}},
		"joined in label": {{"a 1:b", ""}},
		"joined in value": {{"", "a 1:b"}},
		"two":             {{"a", "b"}, {"c", "d"}},
		"two, turned":     {{"c", "d"}, {"a", "b"}},
		"two in one":      {{"a", "b\n1:c 1:d"}},
		"line feed":       {{"a", "b\n"}},
	}
	seen := make(map[Key]string)
	for name, list := range lists {
		k := KeyOf(list)
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have one key, %s", name, other, k)
		}
		seen[k] = name
	}
}

func TestParseDigest(t *testing.T) {
	good := DigestOf([]byte("x")).String()
	for _, tc := range []struct {
		name, in, want string // want: part of the error, "" for none
	}{
		{"good", good, ""},
		{"empty", "", "has 0 characters, want 64"},
		{"short", good[1:], "has 63 characters, want 64"},
		{"long", good + "0", "has 65 characters, want 64"},
		{"upper case", strings.ToUpper(good), "want a lower-case hexadecimal digit"},
		{"path", "../" + good[3:], `character 1 is '.'`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var viaText Digest
			d, err := ParseDigest(tc.in)
			_, kerr := ParseKey(tc.in)
			if terr := viaText.UnmarshalText([]byte(tc.in)); (terr == nil) != (err == nil) || (kerr == nil) != (err == nil) || viaText != d {
				t.Fatalf("ParseDigest: %v, ParseKey: %v, UnmarshalText: %v", err, kerr, terr)
			}
			if tc.want == "" {
				if err != nil || d.String() != tc.in || d.Short() != tc.in[:8] || d.IsZero() {
					t.Errorf("got %s, %v", d, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
