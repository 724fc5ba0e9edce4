package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What a header says takes no memory before it is true: sizes of a terabyte, extents that overlap,
// leave the file or run over, and headers as long as a header may be.
func TestOpenTakesNoSizeOnTrust(t *testing.T) {
	entry := func(name, shape, offsets string) string {
		return fmt.Sprintf(`"%s":{"dtype":"F32","shape":%s,"data_offsets":%s}`, name, shape, offsets)
	}
	const mb, tera = 1 << 20, 1 << 40
	long := func(fill string) []byte { return file(pad(`{"a":`+strings.Repeat(fill, (8*mb-8)/len(fill))), 0) }
	var many strings.Builder
	for i := range 50_000 {
		many.WriteString(entry(fmt.Sprint(i), "[0]", "[0,0]") + ",")
	}
	for _, c := range []struct {
		name, want string
		data       []byte
		size       int64 // of the file, with nothing behind data
		most       uint64
	}{
		{"header of a terabyte", "header of 1099511627776 bytes, at most 67108864", binary.LittleEndian.AppendUint64(nil, tera), 0, mb},
		{"header of a terabyte that is there", "at most 67108864", binary.LittleEndian.AppendUint64(nil, tera), 2 * tera, mb},
		{"header that wraps", "at most", append(binary.LittleEndian.AppendUint64(nil, 1<<64-8), "{}"...), 0, mb},
		{"tensor of a terabyte", "tensors have 1099511627776 bytes, the file has 8", file(pad("{"+entry("a", "[274877906944]", "[0,1099511627776]")+"}"), 8), 0, mb},
		{"dimensions that multiply to nothing", "tensors have 0 bytes, the file has 8", file(pad("{"+entry("a", "[1152921504606846975,0]", "[0,0]")+"}"), 8), 0, mb},
		{"dimensions that wrap", "too many elements", file(pad("{"+entry("a", "[4294967296,4294967296,4]", "[0,16]")+"}"), 16), 0, mb},
		{"offset that wraps", "begins at byte 9223372036854775800", file(pad("{"+entry("a", "[1]", "[9223372036854775800,9223372036854775804]")+"}"), 4), 0, mb},
		{"offset beyond numbers", "header: ", file(pad("{"+entry("a", "[1]", "[18446744073709551612,18446744073709551616]")+"}"), 4), 0, mb},
		{"overlap behind others", "inside the one that ends at 8", file(pad("{"+entry("a", "[2]", "[0,8]")+","+entry("b", "[1]", "[8,12]")+","+entry("c", "[1]", "[4,8]")+"}"), 12), 0, mb},
		{"overlap in a circle", "inside the one that ends at 8", file(pad("{"+entry("a", "[2]", "[0,8]")+","+entry("b", "[2]", "[0,8]")+","+entry("c", "[2]", "[0,8]")+"}"), 8), 0, mb},
		{"sparse file", "tensors have 4 bytes, the file has", file(pad("{"+entry("a", "[1]", "[0,4]")+"}"), 4), tera, mb},
		{"lists in lists", "header: ", long("["), 0, 256 * mb},
		{"maps in maps", "header: ", long(`{"a":`), 0, 256 * mb},
		{"one long list", "header: ", long("1,"), 0, 256 * mb},
		{"a name without end", "header: ", file(pad(`{"`+strings.Repeat("a", 8*mb)), 0), 0, 256 * mb},
		{"many dimensions", "dimensions, at most 16", file(pad("{"+entry("a", "[1"+strings.Repeat(",1", mb)+"]", "[0,4]")+"}"), 4), 0, 256 * mb},
		{"many empty tensors", "header: ", file(pad("{"+many.String()), 0), 0, 256 * mb},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, c.data, 0o666); err != nil {
				t.Fatal(err)
			}
			if c.size > 0 {
				if err := os.Truncate(path, c.size); err != nil {
					t.Skip("no sparse files here:", err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := Open(path)
			runtime.ReadMemStats(&after)
			if err == nil {
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
				t.Errorf("error %.1000v, want %q", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > c.most {
				t.Errorf("%d bytes were allocated, at most %d should be", used, c.most)
			}
		})
	}
}

// Every number of a valid header replaced by a wild one: an error, or the same tensors.
func TestOpenWildNumbers(t *testing.T) {
	header := pad(`{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`)
	for at := range header {
		if c := header[at]; c < '0' || c > '9' {
			continue
		}
		for _, wild := range []string{"-1", "1e3", "0.5", "00", "4", "1099511627776", "9223372036854775807", "9223372036854775808", "18446744073709551615"} {
			data := file(pad(header[:at]+wild+header[at+1:]), 12)
			f, err := parse(append(make([]byte, 0, len(data)+64), data...))
			if err == nil {
				touch(f)
			} else if bytes.Contains([]byte(err.Error()), []byte("panic")) {
				t.Error(err)
			}
		}
	}
}
