package cache

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"iter"
	"math"
	"os"
)

// record is what a list or an account of the cache needs of an entry. Records are kept in the index
// (FORMAT.md, section 7), so that the entries need not be read for them. An entry is never changed,
// so its record holds as long as the stamp of its file.
type record struct {
	key     Key
	stamp   stamp // of the entry's file
	kind    string
	study   string
	step    string
	seconds float64 // that the step took
	outputs []sized
}

// sized is a blob and its size in bytes as an entry states it.
type sized struct {
	digest Digest
	size   int64
}

const (
	indexHead = "ablate index 1\n"

	// The most that is read of an index: some five million entries of two outputs.
	indexBytes = 1 << 30

	// The index is written again when so many entries had to be read for want of it, or one in
	// fifty. Until then they are read each time.
	indexLate = 64
)

func (e *Entry) record(fi fs.FileInfo) *record {
	r := &record{key: e.Key, kind: e.Kind, study: e.Provenance.Study, step: e.Provenance.Step, seconds: e.Provenance.WallSeconds,
		outputs: make([]sized, len(e.Outputs))}
	r.stamp, _ = stampOf(fi)
	r.stamp.mtime = fi.ModTime().UnixNano()
	for i, o := range e.Outputs {
		r.outputs[i] = sized{o.Digest, o.Size}
	}
	return r
}

// records yields the record of every entry, in the order of keys. A corrupt entry yields a *[Miss],
// one of a later version a *[FormatError]; both stay where they are. Records come from the index
// where that is up to date, and the entries that were read are added to it.
func (c *Cache) records(ctx context.Context) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		keys, err := c.keys()
		if err != nil {
			yield(nil, err)
			return
		}
		index := c.readIndex()
		var all []*record
		read := 0
		for key, a := range inOrder(keys, func(k Key) recordOf { return c.record(k, index[k]) }) {
			err := errors.Join(a.err, Ended(ctx))
			if isAbsent(err) {
				continue // removed since it was listed
			}
			if err == nil {
				all = append(all, a.record)
				if a.record != index[key] {
					read++
				}
			}
			if !yield(a.record, err) {
				return
			}
		}
		if stale := max(read, len(index)-(len(all)-read)); stale >= indexLate || stale > len(all)/50 {
			c.writeIndex(all)
		}
	}
}

type recordOf struct {
	record *record
	err    error
}

// record is the record of an entry: the known one, if the entry's file is as it was.
func (c *Cache) record(key Key, known *record) recordOf {
	fi, err := os.Lstat(c.entryPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return recordOf{err: &Miss{What: "entry " + key.Short(), Reason: Absent}}
	}
	if err == nil && known != nil {
		if st, ok := stampOf(fi); ok && fi.Mode().IsRegular() && st == known.stamp {
			return recordOf{record: known}
		}
	}
	e, err := c.readEntry(key, false)
	if err != nil {
		return recordOf{err: err}
	}
	return recordOf{record: e.record(fi)}
}

// keys lists the keys of all entries, in order.
func (c *Cache) keys() ([]Key, error) {
	var keys []Key
	for key, err := range c.Keys() {
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (c *Cache) indexPath() string { return c.path("memo", hostName()+".index") }

// readIndex reads the records of the index. One that is missing or damaged is an empty one.
func (c *Cache) readIndex() map[Key]*record {
	if c.audited {
		return nil
	}
	data, _, err := readPlain(c.indexPath(), indexBytes)
	if err != nil {
		return nil
	}
	records, ok := parseIndex(data)
	if !ok {
		return nil
	}
	index := make(map[Key]*record, len(records))
	for i := range records {
		index[records[i].key] = &records[i]
	}
	return index
}

// writeIndex writes the index. What cannot be written costs the next reader its time, and nothing
// else.
func (c *Cache) writeIndex(records []*record) {
	if c.readOnly {
		return
	}
	data := appendIndex(records)
	if len(data) > indexBytes {
		return
	}
	temp, err := c.temp("the index", data, false)
	if err != nil {
		return
	}
	if c.disk.rename(temp, c.indexPath()) != nil {
		os.Remove(temp)
	}
}

// appendIndex writes the bytes of the index, as FORMAT.md, section 7 says.
func appendIndex(records []*record) (b []byte) {
	b = append(b, indexHead...)
	b = binary.AppendUvarint(b, uint64(len(records)))
	seen := map[string]uint64{}
	word := func(s string) {
		if n, ok := seen[s]; ok {
			b = binary.AppendUvarint(b, n)
			return
		}
		b = appendText(append(b, 0), s)
		seen[s] = uint64(len(seen) + 1)
	}
	for _, r := range records {
		b = append(b, r.key[:]...)
		for _, v := range [...]int64{r.stamp.size, r.stamp.mtime, r.stamp.ctime, int64(r.stamp.ino), int64(r.stamp.dev)} {
			b = binary.AppendVarint(b, v)
		}
		word(r.kind)
		word(r.study)
		b = appendText(b, r.step)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.seconds))
		b = binary.AppendUvarint(b, uint64(len(r.outputs)))
		for _, o := range r.outputs {
			b = append(b, o.digest[:]...)
			b = binary.AppendUvarint(b, uint64(o.size))
		}
	}
	return sealIndex(b)
}

// sealIndex appends the checksum of all bytes before it.
func sealIndex(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parseIndex reads what appendIndex wrote. Whatever the bytes are, no more memory is taken than
// they can hold records.
func parseIndex(data []byte) ([]record, bool) {
	if len(data) < len(indexHead)+4 || !bytes.HasPrefix(data, []byte(indexHead)) {
		return nil, false
	}
	body, sum := data[:len(data)-4], data[len(data)-4:]
	if binary.LittleEndian.Uint32(sum) != crc32.Checksum(body, castagnoli) {
		return nil, false
	}
	x := indexReader{rest: string(body[len(indexHead):])} // one copy, of which all texts are parts
	const least = 32 + 5 + 2 + 1 + 8 + 1                  // bytes of a record
	n := x.count(least)
	records := make([]record, 0, n)
	for range n {
		r := record{key: Key(x.hash())}
		r.stamp = stamp{size: x.signed(), mtime: x.signed(), ctime: x.signed(), ino: uint64(x.signed()), dev: uint64(x.signed())}
		r.kind, r.study, r.step = x.word(), x.word(), x.text()
		if bits := x.take(8); len(bits) == 8 {
			r.seconds = math.Float64frombits(binary.LittleEndian.Uint64([]byte(bits)))
		}
		r.outputs = make([]sized, x.count(33))
		for i := range r.outputs {
			r.outputs[i] = sized{Digest(x.hash()), int64(min(x.unsigned(), math.MaxInt64))}
		}
		if x.bad {
			return nil, false
		}
		records = append(records, r)
	}
	return records, !x.bad && x.rest == ""
}

// indexReader takes an index apart from the front. After an error it takes nothing more.
type indexReader struct {
	rest  string
	words []string
	bad   bool
}

func (x *indexReader) take(n uint64) string {
	if n > uint64(len(x.rest)) {
		x.bad, x.rest = true, ""
		return ""
	}
	s := x.rest[:n]
	x.rest = x.rest[n:]
	return s
}

func (x *indexReader) unsigned() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := x.take(1)
		if x.bad {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
	x.bad = true
	return 0
}

func (x *indexReader) signed() int64 {
	v := x.unsigned()
	return int64(v>>1) ^ -int64(v&1)
}

// count is a number of things that take so many bytes each, at least.
func (x *indexReader) count(least int) uint64 {
	n := x.unsigned()
	if n > uint64(len(x.rest)/least) {
		x.bad = true
		return 0
	}
	return n
}

func (x *indexReader) hash() (h [32]byte) {
	copy(h[:], x.take(32))
	return h
}

func (x *indexReader) text() string { return x.take(x.unsigned()) }

func (x *indexReader) word() string {
	n := x.unsigned()
	if n == 0 {
		x.words = append(x.words, x.text())
		n = uint64(len(x.words))
	}
	if n > uint64(len(x.words)) {
		x.bad = true
		return ""
	}
	return x.words[n-1]
}
