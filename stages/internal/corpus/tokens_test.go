package corpus

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// letters is the tokenizer of these tests: ids of bytes, but for 'X', which it does not have, and
// 300, the end of text.
func letters(ids []uint32) ([]byte, error) {
	var out []byte
	for i, id := range ids {
		if id == 'X' {
			return nil, fmt.Errorf("id %d at position %d: no token has this id", id, i)
		}
		out = append(out, byte(id))
	}
	return out, nil
}

// arrayOf spells ids: bytes, but for '|', the end of text, and '!', an id that there is not.
func arrayOf(text string, width int) []byte {
	var out []byte
	for _, c := range []byte(text) {
		id := uint32(c)
		switch c {
		case '|':
			id = 300
		case '!':
			id = 301
		}
		if width == 2 {
			out = binary.LittleEndian.AppendUint16(out, uint16(id))
		} else {
			out = binary.LittleEndian.AppendUint32(out, id)
		}
	}
	return out
}

func tokensIn(array []byte, index string) Tokens {
	in := Tokens{Array: bytes.NewReader(array), Size: int64(len(array)), IndexName: "f.csv.gz", Vocab: 301, EOS: 300, Decode: letters}
	if index != "" {
		in.Index = strings.NewReader(index)
	}
	return in
}

func readTokens(opt Options, in Tokens) (docs []Document, counts Counts, err error) {
	counts, err = ReadTokens(context.Background(), opt, "area/f.npy", in, func(d Document) error {
		d.Place = Place{} // TestKeptPlaces
		docs = append(docs, d)
		return nil
	})
	return docs, counts, err
}

// numpy puts the header of NumPy before an array.
func numpy(version byte, descr, shape string, array []byte) []byte {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
	out := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(dict)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(dict)))
	}
	return append(append(out, dict...), array...)
}

func TestReadTokens(t *testing.T) {
	const index = "0,4,a,s3://x/go/1.jsonl.gz,1\r\n4,6,b,\"s3://x/c,d/2.jsonl\",7\r\n6,9,,,\r\n"
	want := []Document{
		{ID: "a", Text: "abc", Tokens: []uint32{'a', 'b', 'c'}, Meta: map[string]string{"src": "s3://x/go/1.jsonl.gz", "loc": "1", "dir": "go", "area": "area"}},
		{ID: "b", Text: "d", Tokens: []uint32{'d'}, Meta: map[string]string{"src": "s3://x/c,d/2.jsonl", "loc": "7", "dir": "c,d", "area": "area"}},
		{ID: "27a84712e4b22c41", Text: "ee", Tokens: []uint32{'e', 'e'}, Meta: map[string]string{"src": "none", "loc": "none", "dir": "none", "area": "area"}},
	}
	opt := Options{Format: FormatToken, Absent: "none", Metadata: map[string]string{"src": "src", "loc": "loc", "dir": "src ~ ([^/]+)/[^/]*$", "area": "^([^/]+)/"}}
	for _, width := range []int{2, 4} {
		opt.DType = fmt.Sprintf("uint%d", 8*width)
		raw, descr := arrayOf("abc|d|ee|", width), fmt.Sprintf("<u%d", width)
		for name, array := range map[string][]byte{"raw": raw, "numpy 1": numpy(1, descr, "9,", raw), "numpy 2": numpy(2, descr, "9,", raw)} {
			for kind, text := range map[string]string{"plain": index, "headings": "start,end,id,src,loc\n" + index, "gzip": zipped(t, index)} {
				docs, counts, err := readTokens(opt, tokensIn(array, text))
				if diff := cmp.Diff(lacking(want, "none"), docs); diff != "" || err != nil || counts.Read != 3 || counts.Kept != 3 || counts.Bytes != 6 {
					t.Errorf("%s, %s, %s: %+v, error %v (-want +got):\n%s", opt.DType, name, kind, counts, err, diff)
				}
			}
		}
	}
}

// Without an index an end of text ends a document; what is between two of them is an empty one.
func TestCutTokens(t *testing.T) {
	opt := Options{Format: FormatToken, DType: Uint16, Metadata: map[string]string{"area": "^([^/]+)/"}}
	long := strings.Repeat("long ", arrayBuffer)
	docs, counts, err := readTokens(opt, tokensIn(arrayOf("|abc||d|"+long+"|ee", 2), ""))
	var got []string
	for _, d := range docs {
		got = append(got, d.Text)
		if d.Meta["area"] != "area" {
			t.Errorf("metadata %v", d.Meta)
		}
	}
	if diff := cmp.Diff([]string{"abc", "d", long, "ee"}, got); diff != "" || err != nil || counts.Read != 6 || counts.Dropped[DroppedEmpty] != 2 {
		t.Errorf("%+v, error %v (-want +got):\n%.300s", counts, err, diff)
	}
	five := int64(5)
	if diff := cmp.Diff(Place{Byte: 10, Token: &five, Reason: DroppedEmpty}, counts.Places[1]); diff != "" || len(counts.Places) != 2 {
		t.Errorf("%d places, the second (-want +got):\n%s", len(counts.Places), diff)
	}
	opt.Metadata["src"] = "src"
	if _, _, err := readTokens(opt, tokensIn(arrayOf("a", 2), "")); err == nil || !strings.Contains(err.Error(), "column src of an index, and there is no f.csv.gz") {
		t.Errorf("error %v", err)
	}
}

// Each fault ends the reading at its place, or is counted; ids that no entry names are one fault,
// unless an entry that was dropped explains them.
func TestTokenFaults(t *testing.T) {
	for _, c := range []struct {
		name, array, index string
		want               string // of the error
		kept               string // where faults are dropped
		dropped            map[string]int64
	}{
		{"no such id", "ab|c!|d|", "0,3,a,,\n3,6,b,,\n6,8,c,,\n", "area/f.npy: token 4 (byte 8), f.csv.gz:2: id 301, the study's tokenizer has 301 ids", "ab d", map[string]int64{"no text field": 1}},
		{"no such id, no index", "ab|c!|d|", "", "area/f.npy: token 4 (byte 8): id 301", "ab d", map[string]int64{"no text field": 1}},
		{"no token", "ab|cX|d|", "", "area/f.npy: token 3 (byte 6): id 88 at position 1", "ab d", map[string]int64{"no text field": 1}},
		{"end inside", "ab|c|d|", "0,5,a,,\n5,7,b,,", "token 2 (byte 4), f.csv.gz:1: an end of text inside the document from 0 to 5", "d", map[string]int64{"no text field": 1}},
		{"backwards", "ab|c|", "3,0,a,,\n3,5,b,,", "token 0 (byte 0), f.csv.gz:1: a document from 3 to 0", "c", map[string]int64{"bad index": 1}},
		{"beyond", "ab|c|", "0,3,a,,\n3,6,b,,", "token 3 (byte 6), f.csv.gz:2: a document from 3 to 6, the array has 5 ids: is dtype right?", "ab", map[string]int64{"bad index": 1}},
		{"overlap", "ab|c|", "0,3,a,,\n2,5,b,,", "f.csv.gz:2: a document from 2 to 5, the one before ends at 3", "ab", map[string]int64{"bad index": 1}},
		{"no numbers", "ab|c|", "0,3,a,,\nx,5,b,,", `f.csv.gz:2: start "x" and end "5" are not whole numbers`, "ab", map[string]int64{"bad index": 1}},
		{"columns", "ab|c|", "0,3,a,,\n3,5,b\n", "f.csv.gz:2: wrong number of fields", "ab", map[string]int64{"bad index": 1}},
		{"quotes", "ab|c|", "0,3,a\"b,,\n3,5,b,,", `f.csv.gz:1: bare "`, "c", map[string]int64{"bad index": 1}},
		{"gap", "ab|c|d|", "0,3,a,,\n5,7,b,,", "token 3 (byte 6), f.csv.gz:2: no entry names the ids from 3 to 5", "ab d", map[string]int64{"bad index": 1}},
		{"gap at the end", "ab|c|d|", "0,3,a,,\n", "token 3 (byte 6): no entry names the ids from 3 to 7", "ab", map[string]int64{"bad index": 1}},
		{"not UTF-8", "ab|\xff|", "", "token 3 (byte 6): the ids stand for no valid UTF-8 at byte 0", "ab", map[string]int64{DroppedUTF8: 1}},
		{"index not UTF-8", "ab|", "0,3,\xff,,", "f.csv.gz:1: id, src or loc is not valid UTF-8", "", map[string]int64{DroppedUTF8: 1}},
		{"empty", "ab||", "0,3,a,,\n3,4,b,,", `token 4 (byte 8), f.csv.gz:2: document "b" has no text`, "ab", map[string]int64{DroppedEmpty: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt := Options{Format: FormatToken, DType: Uint16}
			policy := func(what string) map[string]string {
				return map[string]string{BadText: what, BadIndex: what, BadUTF8: what, BadEmpty: what}
			}
			opt.Bad = policy(Fail)
			if _, counts, err := readTokens(opt, tokensIn(arrayOf(c.array, 2), c.index)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, error %v, want %q", counts, err, c.want)
			}
			opt.Bad = policy(Drop)
			docs, counts, err := readTokens(opt, tokensIn(arrayOf(c.array, 2), c.index))
			var kept []string
			for _, d := range docs {
				kept = append(kept, d.Text)
			}
			if got := strings.Join(kept, " "); err != nil || got != c.kept {
				t.Errorf("kept %q, error %v, want %q", got, err, c.kept)
			}
			sum := counts.Kept
			for _, n := range counts.Dropped {
				sum += n
			}
			if diff := cmp.Diff(c.dropped, counts.Dropped); diff != "" || counts.Read != sum {
				t.Errorf("%+v, dropped (-want +got):\n%s", counts, diff)
			}
		})
	}
}

// What a file cannot be is said before any of it is read.
func TestTokenFiles(t *testing.T) {
	raw := arrayOf("abc|", 2)
	for _, c := range []struct {
		name, dtype string
		array       []byte
		vocab       int
		want        string
	}{
		{"odd", Uint16, raw[:7], 301, "7 bytes are no whole number of ids of type uint16: the last one is cut off at byte 6"},
		{"odd for four bytes", Uint32, raw[:6], 301, "6 bytes are no whole number of ids of type uint32: the last one is cut off at byte 4"},
		{"a large vocabulary", Uint16, raw, 1<<16 + 1, "65537 ids, which type uint16 cannot hold"},
		{"no type", "", raw, 301, `ids of type "": want uint16 or uint32`},
		{"numpy of another type", Uint16, numpy(1, "<u4", "2,", raw), 301, "want ids of type <u2"},
		{"numpy of big ends", Uint16, numpy(1, ">u2", "4,", raw), 301, "want ids of type <u2"},
		{"numpy matrix", Uint16, numpy(1, "<u2", "2, 2", raw), 301, "want one dimension"},
		{"numpy of another length", Uint16, numpy(1, "<u2", "5,", raw), 301, "says 5 ids, the file has 4"},
		{"numpy cut off", Uint16, numpy(1, "<u2", "4,", raw)[:30], 301, "read the NumPy header: unexpected EOF"},
		{"numpy of a long header", Uint16, append([]byte(numpyMagic), 2, 0, 0xff, 0xff, 0xff, 0xff), 301, "header of more than"},
	} {
		in := tokensIn(c.array, "")
		in.Vocab = c.vocab
		if _, _, err := readTokens(Options{Format: FormatToken, DType: c.dtype}, in); err == nil || !strings.Contains(err.Error(), "area/f.npy: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	in := tokensIn(raw, "0,4,a,,")
	in.Size = 8 * arrayBuffer // the file has shrunk since
	if _, _, err := readTokens(Options{Format: FormatToken, DType: Uint16, Bad: map[string]string{BadIndex: Drop}}, in); err == nil || !strings.Contains(err.Error(), "read at byte 8") {
		t.Errorf("error %v", err)
	}
	if _, _, err := readTokens(Options{Format: FormatToken, DType: Uint16, Metadata: map[string]string{"a": "src ~ x"}}, in); err == nil || !strings.Contains(err.Error(), `"x" has 0 groups`) {
		t.Errorf("error %v", err)
	}
	torn := zipped(t, "0,4,a,,\n")
	in = tokensIn(raw, torn[:len(torn)-3])
	if _, _, err := readTokens(Options{Format: FormatToken, DType: Uint16}, in); err == nil || !strings.Contains(err.Error(), "f.csv.gz: gzip: ") {
		t.Errorf("error %v", err)
	}
}

// A document of more ids than are kept is one fault, and those behind it are read.
func TestLongDocument(t *testing.T) {
	a, err := openArray(bytes.NewReader(arrayOf("abcdef|gh|", 2)), 20, Uint16, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	ids, n, err := a.until(nil, 300, 5)
	if ids != nil || n != 6 || err != nil {
		t.Errorf("%v, %d, %v", ids, n, err)
	}
	if ids, n, err = a.until(nil, 300, 5); !slices.Equal(ids, []uint32{'g', 'h'}) || n != 2 || err != nil || a.at != 10 {
		t.Errorf("%v, %d, %v", ids, n, err)
	}
}

// FuzzTokenIndex: whatever the index says, every id of the array is accounted for once, and
// documents are what the array holds there.
func FuzzTokenIndex(f *testing.F) {
	f.Add("0,3,a,s,1\n3,5,b,s,2\n", "ab|c|")
	f.Add("start,end,id,src,loc\r\n0,2,\"a\"\"b\",,\r\n", "abc|")
	f.Add("0,9223372036854775807,a,,\n-1,2,a,,\n2,1,b,,\n", "a")
	f.Add("0,1,a\n\"", "|!|X")
	f.Fuzz(func(t *testing.T, index, array string) {
		opt := Options{Format: FormatToken, DType: Uint16, Metadata: map[string]string{"src": "src"},
			Bad: map[string]string{BadText: Drop, BadIndex: Drop}}
		in := tokensIn(arrayOf(array, 2), "")
		in.Index = strings.NewReader(index)
		docs, counts, err := readTokens(opt, in)
		if err != nil {
			if !strings.Contains(err.Error(), "f.csv.gz") && !strings.Contains(err.Error(), "ids are 0") && !strings.Contains(err.Error(), "id is 0") { // an index that is compressed, and badly; an array of zeros
				t.Fatal(err)
			}
			return
		}
		dropped := int64(0)
		for _, n := range counts.Dropped {
			dropped += n
		}
		if counts.Read != counts.Kept+dropped || counts.Kept != int64(len(docs)) {
			t.Errorf("counts %+v of %d documents", counts, len(docs))
		}
		text := ""
		for _, d := range docs {
			text += d.Text
			if d.Text == "" || strings.ContainsAny(d.Text, "|!X") {
				t.Errorf("document %q", d.Text)
			}
		}
		for _, c := range []byte(text) {
			at := strings.IndexByte(array, c)
			if at < 0 {
				t.Fatalf("text %q is not in order in %q", text, array)
			}
			array = array[at+1:]
		}
	})
}

// An array that is read with another width than it has gives ids, and text, without an error; what
// its bytes look like is held against it.
func TestWrongWidth(t *testing.T) {
	text := strings.Repeat("the keeper of the light|", 3)
	wide := func(width int) []byte {
		var out []byte
		for i, raw := 0, arrayOf(text, 2); i < len(raw); i += 2 {
			out = append(append(out, raw[i:i+2]...), make([]byte, width-2)...)
		}
		return out
	}
	for _, c := range []struct {
		name, dtype string
		data        []byte
		want        string
	}{
		{"16 as 16", Uint16, wide(2), ""},
		{"32 as 32", Uint32, wide(4), ""},
		{"32 as 16", Uint16, wide(4), "every other id is 0, as if ids of 32 bits were read as uint16: say dtype: uint32"},
		{"64 as 16", Uint16, wide(8), "three of four ids are 0: the array looks like one of ids of 64 bits"},
		{"64 as 32", Uint32, wide(8), "every other id is 0: the array looks like one of ids of 64 bits"},
		{"16 as 32", Uint32, wide(2), "of the first 36 ids are beyond the tokenizer's 301, and none is if they have 16 bits: say dtype: uint16"},
		{"32 as 16, some ids beyond 65535", Uint16, append(arrayOf("\x00\x00", 4), bytes.Repeat([]byte{7, 1, 0, 0, 9, 2, 0, 0, 5, 3, 1, 0}, 40)...), "say dtype: uint32"},
		{"few ids", Uint16, wide(4)[:8], ""},
		{"zeros", Uint16, make([]byte, 64), ""},
		{"text", Uint16, []byte(strings.Repeat("{\"text\": \"some words\"}\n", 4)), "the file begins with text, not with ids in binary"},
		{"gzip", Uint16, []byte(zipped(t, text)), "compressed with gzip, and a file of format tokens is read as it lies: decompress it"},
		{"zip", Uint16, []byte("PK\x03\x04\x14\x00\x00\x00"), "a zip archive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openArray(bytes.NewReader(c.data), int64(len(c.data)), c.dtype, 301)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
