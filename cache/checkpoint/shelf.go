package checkpoint

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// A Shelf keeps checkpoints open between uses: a sweep over mixtures of the same models maps each
// once, parses its header once and has its pages at hand from the second mixture on. It is safe for
// any number of goroutines.
//
// What it keeps is a view of the operating system's own copy of the files, no second one; that copy
// goes when memory is needed for other things, and then the numbers come from the disk again.
type Shelf struct {
	limit int64

	mu    sync.Mutex
	open  map[string]*shelved
	bytes int64 // of all that is open and on the shelf
	clock int64
}

// shelved is an open file. One that was replaced leaves the shelf and is closed by its last user.
type shelved struct {
	file  *File
	info  fs.FileInfo // when it was opened
	users int
	last  int64 // when it was last put back
	gone  bool
}

// NewShelf returns a shelf that keeps files of together at most limit bytes when nobody uses them.
func NewShelf(limit int64) *Shelf { return &Shelf{limit: limit, open: map[string]*shelved{}} }

// Take opens a checkpoint, or hands out the one that is open already if the path still names the
// same file, of the same size and time of change: one that was replaced or written to is opened
// anew. The caller does not close the file but calls put when it is done with it.
func (s *Shelf) Take(path string) (f *File, put func(), err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open checkpoint: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.open[path]
	if b != nil && !unchanged(b.info, info) {
		s.drop(path, b)
		b = nil
	}
	if b == nil {
		if f, err = Open(path); err != nil {
			return nil, nil, err
		}
		b = &shelved{file: f, info: info}
		s.open[path] = b
		s.bytes += info.Size()
	}
	b.users++
	return b.file, sync.OnceFunc(func() { s.put(b) }), nil
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (s *Shelf) put(b *shelved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.users--
	s.clock++
	b.last = s.clock
	if b.gone && b.users == 0 {
		b.file.Close() // a mapping that is only read: nothing can be lost
	}
	s.shrink(s.limit)
}

// shrink closes the files that were not used for longest until no more than limit bytes are kept.
func (s *Shelf) shrink(limit int64) {
	for s.bytes > limit {
		oldest := ""
		for path, b := range s.open {
			if b.users == 0 && (oldest == "" || b.last < s.open[oldest].last) {
				oldest = path
			}
		}
		if oldest == "" {
			return // all are in use
		}
		s.drop(oldest, s.open[oldest])
	}
}

// drop takes a file off the shelf, and closes it if nobody uses it.
func (s *Shelf) drop(path string, b *shelved) {
	delete(s.open, path)
	s.bytes -= b.info.Size()
	b.gone = true
	if b.users == 0 {
		b.file.Close()
	}
}
