package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tensor makes a tensor of random values.
func tensor(seed uint64, name string, shape ...int) Tensor {
	n, err := elements(shape)
	if err != nil {
		panic(err)
	}
	r := rand.New(rand.NewPCG(seed, uint64(len(name))))
	t := Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
	for i := range t.Data {
		t.Data[i] = float32(r.NormFloat64())
	}
	return t
}

func write(t testing.TB, tensors []Tensor, meta map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Write(path, tensors, meta); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// bitsOf lets cmp compare NaNs and signs of zeros.
func bitsOf(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	odd := Tensor{"odd values", []int{7}, []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, math.MaxFloat32, math.Float32frombits(0x7f800001)}}
	for _, c := range []struct {
		name    string
		tensors []Tensor
		meta    map[string]string
	}{
		{"nothing", nil, nil},
		{"metadata only", nil, map[string]string{"b": "2", "a": "1", "": "é<&>\"\\\n\u2028"}},
		{"scalar", []Tensor{tensor(1, "x")}, nil},
		{"empty tensor", []Tensor{tensor(1, "x", 0), tensor(1, "y", 3, 0, 2)}, nil},
		{"odd lengths", []Tensor{tensor(1, "z", 1), tensor(2, "a", 3, 5), tensor(3, "é.\"b\"", 0), tensor(4, "m", 7, 1, 1)}, map[string]string{"k": "v"}},
		{"odd values", []Tensor{odd}, nil},
		{"longer than a chunk of the writer", []Tensor{tensor(1, "x", writeChunk/4), tensor(1, "y", writeChunk/4+1), tensor(1, "z", 1)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.tensors, c.meta)
			f := open(t, path)
			var names []string
			for _, want := range c.tensors {
				names = append(names, want.Name)
				got, err := f.Tensor(want.Name)
				if err != nil {
					t.Fatal(err)
				}
				if got.Name != want.Name || !slices.Equal(got.Shape, want.Shape) || !slices.Equal(bitsOf(got.Data), bitsOf(want.Data)) {
					t.Errorf("tensor %s differs", want.Name)
				}
			}
			if !slices.Equal(f.Names(), names) {
				t.Errorf("names %q, want %q", f.Names(), names)
			}
			want := c.meta
			if want == nil {
				want = map[string]string{}
			}
			if d := cmp.Diff(want, f.Meta()); d != "" {
				t.Errorf("metadata differs (-want +got):\n%s", d)
			}
			data := read(t, path)
			if start := 8 + binary.LittleEndian.Uint64(data); start%alignment != 0 {
				t.Errorf("data begins at %d, want a multiple of %d", start, alignment)
			}
			if again := read(t, write(t, c.tensors, c.meta)); !bytes.Equal(data, again) {
				t.Error("same tensors, other bytes")
			}
			if _, err := f.Tensor("no such"); err == nil || !strings.Contains(err.Error(), `"no such"`) {
				t.Errorf("missing tensor: error %v", err)
			}
		})
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The bytes of a small file, written out by hand from the format's description.
func TestGoldenBytes(t *testing.T) {
	got := read(t, write(t, []Tensor{{"w", []int{1, 2}, []float32{1, -2}}, {"b", nil, []float32{0.5}}}, map[string]string{"z": "1", "a": "2"}))
	header := `{"__metadata__":{"a":"2","z":"1"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", 184-len(header))
	want := "\xb8\x00\x00\x00\x00\x00\x00\x00" + header + "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("file differs (-want +got):\n%s", d)
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, want string
		tensors    []Tensor
		meta       map[string]string
	}{
		{"no name", "not a name", []Tensor{tensor(1, "")}, nil},
		{"reserved name", "not a name", []Tensor{tensor(1, metadataKey)}, nil},
		{"invalid name", "UTF-8", []Tensor{tensor(1, "\xff")}, nil},
		{"twice", `tensor "a": given twice`, []Tensor{tensor(1, "a"), tensor(1, "a")}, nil},
		{"length", "shape [2 3] has 6 elements, data has 5", []Tensor{{"a", []int{2, 3}, make([]float32, 5)}}, nil},
		{"negative", "negative", []Tensor{{"a", []int{-1, -1}, make([]float32, 1)}}, nil},
		{"overflow", "too many", []Tensor{{"a", []int{1 << 32, 1 << 32}, nil}}, nil},
		{"dimensions", "17 dimensions, at most 16", []Tensor{{"a", make([]int, 17), nil}}, nil},
		{"invalid metadata", "UTF-8", nil, map[string]string{"a": "\xff"}},
		{"long header", "at most", nil, map[string]string{"a": strings.Repeat("x", maxHeader)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if err := Write(path, c.tensors, c.meta); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file was left behind (%v)", err)
			}
		})
	}
	if err := Write(filepath.Join(dir, "none", "x"), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		if err := Write("/dev/full", []Tensor{tensor(1, "a", 9)}, nil); err == nil {
			t.Error("full disk: no error")
		}
	}
}

// file puts a header before size bytes of data.
func file(header string, size int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, size)...)
}

// pad makes the header a multiple of 4, as most writers do.
func pad(header string) string { return header + strings.Repeat(" ", -len(header)&3) }

func TestOpenRefuses(t *testing.T) {
	entry := func(name, dtype, shape, offsets string) string {
		return fmt.Sprintf(`"%s":{"dtype":"%s","shape":%s,"data_offsets":%s}`, name, dtype, shape, offsets)
	}
	a := entry("a", "F32", "[2]", "[0,8]")
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", "0 bytes, a safetensors file has at least 10", nil},
		{"short", "7 bytes", make([]byte, 7)},
		{"no header", "JSON object", make([]byte, 8)},
		{"huge header", "at most 67108864", append(bytes.Repeat([]byte{0xff}, 8), '{', '}')},
		{"cut short", "header of 12 bytes, 4 left", file(pad(`{"a":1234}`), 0)[:12]},
		{"not JSON", "header: ", file(pad("{oops"), 0)},
		{"space first", "JSON object", file(pad(` {}`), 0)},
		{"array", "JSON object", file(pad(`[]`), 0)},
		{"unended", "header: ", file(pad(`{`+a), 8)},
		{"two objects", "follows", file(pad(`{}{}`), 0)},
		{"another dtype", `tensor "a": dtype "BF16", want "F32"`, file(pad(`{`+entry("a", "BF16", "[2]", "[0,4]")+`}`), 4)},
		{"no dtype", "want dtype, shape and data_offsets", file(pad(`{"a":{"shape":[2],"data_offsets":[0,8]}}`), 8)},
		{"no shape", "want dtype, shape and data_offsets", file(pad(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`), 4)},
		{"one offset", "1 data_offsets, want 2", file(pad(`{`+entry("a", "F32", "[2]", "[8]")+`}`), 8)},
		{"fraction", "header: ", file(pad(`{`+entry("a", "F32", "[1.5]", "[0,6]")+`}`), 6)},
		{"negative shape", "negative", file(pad(`{`+entry("a", "F32", "[-2,-1]", "[0,8]")+`}`), 8)},
		{"negative offset", "data_offsets [-8 0]", file(pad(`{`+entry("a", "F32", "[2]", "[-8,0]")+`}`), 8)},
		{"backward", "data_offsets [8 0]", file(pad(`{`+entry("a", "F32", "[2]", "[8,0]")+`}`), 8)},
		{"overflow", "too many", file(pad(`{`+entry("a", "F32", "[4611686018427387904,4]", "[0,0]")+`}`), 0)},
		{"extent", "shape [2] is 8 bytes, data_offsets [0 4]", file(pad(`{`+entry("a", "F32", "[2]", "[0,4]")+`}`), 4)},
		{"twice", `"a" occurs twice`, file(pad(`{`+a+`,`+a+`}`), 8)},
		{"metadata twice", "occurs twice", file(pad(`{"__metadata__":{},"__metadata__":{}}`), 0)},
		{"metadata of numbers", "__metadata__: ", file(pad(`{"__metadata__":{"a":1}}`), 0)},
		{"overlap", "inside the one that ends at 8", file(pad(`{`+a+`,`+entry("b", "F32", "[2]", "[4,12]")+`}`), 12)},
		{"same extent", "inside", file(pad(`{`+a+`,`+entry("b", "F32", "[2]", "[0,8]")+`}`), 8)},
		{"gap", "nothing covers 8 to there", file(pad(`{`+a+`,`+entry("b", "F32", "[2]", "[12,20]")+`}`), 20)},
		{"gap at the front", "nothing covers 0 to there", file(pad(`{`+entry("b", "F32", "[2]", "[4,12]")+`}`), 12)},
		{"data cut", "tensors have 8 bytes, the file has 7", file(pad(`{`+a+`}`), 7)},
		{"data left", "tensors have 8 bytes, the file has 9", file(pad(`{`+a+`}`), 9)},
		{"unaligned", "want a multiple of 4", file(pad(`{`+a+`}`)+" ", 8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, c.data, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("directory: no error")
	}
}

// Tensors of other writers lie in any order, and empty ones anywhere.
func TestOpenForeignOrder(t *testing.T) {
	header := pad(`{"b":{"data_offsets":[4,8],"dtype":"F32","shape":[1]},"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"a":{"shape":[],"dtype":"F32","data_offsets":[0,4]}}`)
	data := file(header, 8)
	binary.LittleEndian.PutUint32(data[len(data)-8:], math.Float32bits(1))
	binary.LittleEndian.PutUint32(data[len(data)-4:], math.Float32bits(2))
	f, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"b", "e", "a"}; !slices.Equal(f.Names(), want) {
		t.Errorf("names %q, want %q", f.Names(), want)
	}
	for name, want := range map[string][]float32{"a": {1}, "b": {2}, "e": nil} {
		if got, err := f.Tensor(name); err != nil || !slices.Equal(got.Data, want) {
			t.Errorf("tensor %s: %v, %v, want %v", name, got.Data, err, want)
		}
	}
}

func TestOpenDamaged(t *testing.T) {
	data := read(t, write(t, []Tensor{tensor(1, "a", 3, 5), tensor(2, "b", 0), tensor(3, "c", 400)}, map[string]string{"k": "v"}))
	path := filepath.Join(t.TempDir(), "damaged")
	try := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		touch(f)
		return nil
	}
	for n := range data {
		if n > 600 && n%97 != 0 {
			continue
		}
		if try(data[:n]) == nil {
			t.Errorf("truncated to %d of %d: no error", n, len(data))
		}
	}
	header := 8 + int(binary.LittleEndian.Uint64(data))
	for i := range header {
		for bit := range 8 {
			flipped := bytes.Clone(data)
			flipped[i] ^= 1 << bit
			// Some flips, in a name or a space, give another valid file; what counts is that none
			// panics.
			if err := try(flipped); err == nil && i < 8 {
				t.Errorf("bit %d of byte %d of the length flipped: no error", bit, i)
			}
		}
	}
}

// touch reads every number.
func touch(f *File) (sum float32) {
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			panic(err)
		}
		for _, v := range t.Data {
			sum += v
		}
	}
	return sum
}

func FuzzOpen(f *testing.F) {
	f.Add(file(pad(`{}`), 0))
	f.Add(file(pad(`{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}`), 8))
	f.Add(file(pad(`{"y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`), 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		// An aligned copy, as a mapping is.
		file, err := parse(append(make([]byte, 0, len(data)+64), data...))
		if err != nil {
			return
		}
		touch(file)
		// What is valid survives a round trip.
		var tensors []Tensor
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, x)
		}
		head, err := header(tensors, file.Meta())
		if err != nil {
			// Only what we do not write ourselves.
			if slices.Contains(file.Names(), "") {
				return
			}
			t.Fatalf("valid file, but %v", err)
		}
		again := &File{entries: map[string]entry{}}
		if err := again.parseHeader(head[8:]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.names, file.names) || !cmp.Equal(again.Meta(), file.Meta()) {
			t.Errorf("names %q, metadata %q, want %q, %q", again.names, again.meta, file.names, file.meta)
		}
	})
}
