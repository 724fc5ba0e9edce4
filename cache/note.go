package cache

import "os"

// noteBytes is the most that is read of a note.
const noteBytes = 4 << 20

// Note reads what [Cache.SetNote] wrote on this host under a name, nil where there is nothing. A
// note only saves time (FORMAT.md, section 7): what it lost is found out again.
func (c *Cache) Note(name string) []byte {
	data, _, err := readPlain(c.notePath(name), noteBytes)
	if err != nil {
		return nil
	}
	return data
}

// SetNote keeps a note of this host. A cache that cannot be written keeps none, and nothing is lost
// but time.
func (c *Cache) SetNote(name string, data []byte) {
	if c.readOnly || len(data) > noteBytes {
		return
	}
	temp, err := c.temp("a note", data, false)
	if err != nil {
		return
	}
	if c.disk.rename(temp, c.notePath(name)) != nil {
		os.Remove(temp)
	}
}

func (c *Cache) notePath(name string) string { return c.path("memo", hostName()+"."+name) }
