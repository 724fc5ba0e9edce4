//go:build unix

package checkpoint

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// TestAverageOfLostPages: pages that cannot be read are a panic of the caller, which may be caught,
// whichever worker reads them.
func TestAverageOfLostPages(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const n = 16 * averageChunk
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, make([]byte, 4*n), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := syscall.Mmap(int(f.Fd()), 0, 4*n, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(data)
	if err := os.Truncate(path, 2*n); err != nil {
		t.Fatal(err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if _, fault := recover().(interface{ Addr() uintptr }); !fault {
			t.Error("no panic about memory")
		}
	}()
	source := unsafe.Slice((*float32)(unsafe.Pointer(&data[0])), n)
	average(make([]float32, n), [][]float32{source, source}, []float64{0.5, 0.5}, false)
}
