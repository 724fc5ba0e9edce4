package cache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stamp is the state of a file: two equal stamps of one name mean that nobody wrote to it, as far
// as a stat can tell. The zero stamp matches no file.
type stamp struct {
	size         int64
	mtime, ctime int64 // ns since 1970
	ino, dev     uint64
}

// racy is how long a file must have kept still before its reading for its stamp to be trusted: the
// coarsest file times in use are FAT's, 2 s.
const racy = 2 * time.Second

// memo remembers digests of files under their stamps (FORMAT.md, section 7). It only saves time:
// what it lost, or cannot write, is hashed again.
type memo struct {
	c    *Cache
	path string

	mu      sync.Mutex
	loaded  bool
	blobs   map[Digest]stamp
	files   map[string]fileMemo // by absolute path
	pending []byte              // lines not yet written
	lines   int                 // in pending
	unsaved int64               // bytes hashed for them
}

// blank makes it a memo that knows nothing and reads nothing from its file.
func (m *memo) blank() {
	m.loaded, m.blobs, m.files = true, make(map[Digest]stamp), make(map[string]fileMemo)
}

type fileMemo struct {
	stamp  stamp
	digest Digest
}

// The memo is written when this much work would be lost by kill -9: a few hundred opens of small
// files, or some 50 ms of hashing.
const (
	flushLines = 256
	flushBytes = 64 << 20
)

// memoBytes is the most that is read of a memo: some 5 million files.
const memoBytes = 1 << 30

func newMemo(c *Cache) *memo {
	return &memo{c: c, path: c.path("memo", hostName())}
}

func (m *memo) blob(d Digest) stamp {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	return m.blobs[d]
}

func (m *memo) file(path string, st stamp) (Digest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	f, ok := m.files[path]
	return f.digest, ok && f.stamp == st
}

// putBlob remembers a blob. Its mtime is the fixed one, so that the racy rule holds for it at once;
// see blobTime.
func (m *memo) putBlob(d Digest, h hashed) {
	if !h.known || h.stamp.mtime > h.began.Add(-racy).UnixNano() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	if m.blobs[d] == h.stamp {
		return
	}
	m.blobs[d] = h.stamp
	m.add(appendBlobLine(m.pending, d, h.stamp), h.size)
}

// putFile remembers a raw input. Its mtime may have been set back by whoever copied it, so its
// ctime must be old as well.
func (m *memo) putFile(path string, h hashed) {
	if !h.known || max(h.stamp.mtime, h.stamp.ctime) > h.began.Add(-racy).UnixNano() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	f := fileMemo{h.stamp, h.digest}
	m.files[path] = f
	m.add(appendFileLine(m.pending, path, f), h.size)
}

func (m *memo) forget(d Digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	delete(m.blobs, d)
}

// add takes the lines with a new one appended. A failed write is tried again with the next, and
// reported by Close.
func (m *memo) add(pending []byte, size int64) {
	if m.c.readOnly {
		return // known to this process alone
	}
	m.pending = pending
	m.lines++
	m.unsaved += size
	if m.lines%flushLines == 0 || m.unsaved >= flushBytes {
		m.write()
		m.unsaved = 0
	}
}

func (m *memo) flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write()
}

// write appends all pending lines by one write(2), so that lines of several processes do not mix.
// The first byte ends a line that another left torn.
func (m *memo) write() error {
	if len(m.pending) == 0 || m.c.readOnly {
		return nil
	}
	f, err := appendPlain(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		m.c.mkdir(m.c.path("memo")) // if it fails, the next line says so
		f, err = appendPlain(m.path)
	}
	if errors.Is(err, fs.ErrPermission) {
		// Of another user of a shared cache, on this host. Where its directory may be written, both
		// write it anew in turn.
		if err := m.rewrite(); err != nil {
			return m.c.writeError("the memo", err)
		}
		m.pending, m.lines = m.pending[:0], 0
		return nil
	}
	if err != nil {
		return m.c.writeError("the memo", err)
	}
	err = m.c.disk.write(f, append([]byte{'\n'}, m.pending...))
	if cerr := m.c.disk.close(f); err == nil {
		err = cerr
	}
	if err != nil {
		return m.c.writeError("the memo", err)
	}
	m.pending, m.lines = m.pending[:0], 0
	return nil
}

// load reads the memo once, at first use. A memo that cannot be read is an empty one. One with more
// old lines than new ones is written anew.
func (m *memo) load() {
	if m.loaded {
		return
	}
	m.loaded = true
	m.blobs, m.files = make(map[Digest]stamp), make(map[string]fileMemo)
	data, _, err := readPlain(m.path, memoBytes)
	if errors.Is(err, errTooLarge) || errors.Is(err, errNotRegular) {
		if !m.c.readOnly {
			os.Remove(m.path) // no file of ours; a directory is not removed by a rename
		}
		m.rewrite()
	}
	if err != nil {
		return
	}
	lines := 0
	for rest := data; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if len(line) > 0 {
			lines++
			m.parse(line)
		}
	}
	const small = 64 << 10 // not worth a rewrite
	if len(data) > small && lines > 2*(len(m.blobs)+len(m.files)) {
		m.rewrite()
	}
}

// rewrite drops the lines that later ones replaced. Lines that others append meanwhile are lost,
// which costs them a hash.
func (m *memo) rewrite() error {
	if m.c.readOnly {
		return nil
	}
	var b []byte
	blobs := slices.SortedFunc(maps.Keys(m.blobs), func(x, y Digest) int { return bytes.Compare(x[:], y[:]) })
	for _, d := range blobs {
		b = appendBlobLine(b, d, m.blobs[d])
	}
	for _, path := range slices.Sorted(maps.Keys(m.files)) {
		b = appendFileLine(b, path, m.files[path])
	}
	temp, err := m.c.temp("the memo", b, false)
	if err != nil {
		return err
	}
	// Its owner alone writes to it: a line of a stranger would be believed.
	if err = os.Chmod(temp, 0o644); err == nil {
		err = m.c.disk.rename(temp, m.path)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendBlobLine(b []byte, d Digest, st stamp) []byte {
	return sealLine(b, appendFields(append(openLine(b), 'b', ' '), d, st))
}

func appendFileLine(b []byte, path string, f fileMemo) []byte {
	line := appendFields(append(openLine(b), 'f', ' '), f.digest, f.stamp)
	return sealLine(b, strconv.AppendQuote(append(line, ' '), path))
}

// A line starts with the checksum of its rest: 8 digits and a space.
const crcLen = 9

func openLine(b []byte) []byte { return append(b, "00000000 "...) }

// sealLine fills in the checksum of the line that grew at the end of before.
func sealLine(before, b []byte) []byte {
	line := b[len(before):]
	sum := crc32.Checksum(line[crcLen:], castagnoli)
	hex.Encode(line, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return append(b, '\n')
}

func appendFields(b []byte, d Digest, st stamp) []byte {
	b = hex.AppendEncode(b, d[:])
	for _, v := range [...]int64{st.size, st.mtime, st.ctime} {
		b = strconv.AppendInt(append(b, ' '), v, 10)
	}
	for _, v := range [...]uint64{st.ino, st.dev} {
		b = strconv.AppendUint(append(b, ' '), v, 10)
	}
	return b
}

// parse takes one line, or skips it: a torn line costs one hash.
func (m *memo) parse(line []byte) {
	if len(line) < crcLen+2+64+1 {
		return
	}
	var sum [4]byte
	if _, err := hex.Decode(sum[:], line[:8]); err != nil {
		return
	}
	body := line[crcLen:]
	crc := crc32.Checksum(body, castagnoli)
	if sum != [4]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)} {
		return
	}
	var d Digest
	if _, err := hex.Decode(d[:], body[2:66]); err != nil {
		return
	}
	rest := string(body[66:])
	var st stamp
	for _, to := range []*int64{&st.size, &st.mtime, &st.ctime} {
		field, after := cutField(rest)
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return
		}
		*to, rest = n, after
	}
	for _, to := range []*uint64{&st.ino, &st.dev} {
		field, after := cutField(rest)
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return
		}
		*to, rest = n, after
	}
	switch {
	case body[0] == 'b' && rest == "":
		m.blobs[d] = st
	case body[0] == 'f' && rest != "":
		if path, err := strconv.Unquote(rest[1:]); err == nil {
			m.files[path] = fileMemo{st, d}
		}
	}
}

// cutField takes the number after the space that s begins with, and leaves the rest with the space
// before the next field.
func cutField(s string) (field, rest string) {
	if s == "" || s[0] != ' ' {
		return "", s
	}
	s = s[1:]
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}
