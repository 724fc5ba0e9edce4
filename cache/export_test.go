package cache

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Lay puts an entry and its blobs where Commit would, with what the memo would know of them, in a
// tenth of its time: nothing is built aside, moved, or waited for until it is on the disk.
func (c *Cache) Lay(kind string, keyInputs []KeyInput, outputs map[string][]byte) (*Entry, error) {
	e := &Entry{Format: entryFormat, Key: KeyOf(keyInputs), Kind: kind, KeyInputs: keyInputs, Provenance: machine()}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		o := Output{Name: name, Digest: DigestOf(outputs[name]), Size: int64(len(outputs[name]))}
		e.Outputs = append(e.Outputs, o)
		path, began := c.blobPath(o.Digest), c.now()
		if err := errors.Join(lay(path, outputs[name]), os.Chtimes(path, blobTime, blobTime)); err != nil {
			return nil, err
		}
		fi, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		st, known := stampOf(fi)
		c.memo.putBlob(o.Digest, hashed{digest: o.Digest, size: o.Size, began: began, stamp: st, known: known})
	}
	data, err := e.encode()
	if err != nil {
		return nil, err
	}
	return e, lay(c.entryPath(e.Key), data)
}

var machine = sync.OnceValue(Machine)

func lay(path string, data []byte) error {
	err := os.WriteFile(path, data, 0o444)
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o444))
	}
	return err
}
