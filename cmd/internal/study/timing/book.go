package timing

import (
	"bytes"
	"encoding/json"

	"ablate/cache"
	"ablate/stages/kind"
)

// bookNote is the name of the note in which a cache keeps the speeds of a host.
const bookNote = "speeds"

// bookFormat is the version of the note's form. A note of another version is not read: speeds are
// measured again.
const bookFormat = 1

// mostSpeeds bounds a book. A study has some five classes of steps.
const mostSpeeds = 2000

// book is what is known of the speed of a host: by kind of step and by what its speed depends on.
type book struct {
	Format int                  `json:"format"`
	Speeds map[string]*recorded `json:"speeds"`
}

// recorded is the speed of steps of one class.
type recorded struct {
	kind.Speed
	Budget int64   `json:"budget_ms,omitempty"` // that was spent on the measurement; 0: a constant of the program
	Factor float64 `json:"factor,omitempty"`    // core-seconds that steps of runs took to those that the speed says; 0: none ran
	Ran    int     `json:"ran,omitempty"`       // steps of the last run that the factor is from
}

// openBook reads the book of a cache. What cannot be read is an empty book.
func openBook(c *cache.Cache) *book {
	b := &book{}
	if c != nil {
		dec := json.NewDecoder(bytes.NewReader(c.Note(bookNote)))
		if dec.Decode(b) != nil || b.Format != bookFormat {
			b = &book{}
		}
	}
	b.Format = bookFormat
	if b.Speeds == nil || len(b.Speeds) > mostSpeeds {
		b.Speeds = map[string]*recorded{}
	}
	for key, r := range b.Speeds {
		if r == nil || !sound(*r) {
			delete(b.Speeds, key)
		}
	}
	return b
}

// sound says whether a speed can be: a damaged book must not give a plan nonsense.
func sound(r recorded) bool {
	for _, x := range []float64{r.One, r.All, r.Setup, r.Input, r.Factor} {
		if !(x >= 0) || x > 1e18 {
			return false
		}
	}
	return true
}

// save keeps the book, if the cache can be written.
func (b *book) save(c *cache.Cache) {
	if c == nil {
		return
	}
	merged := openBook(c) // another run may have written meanwhile
	for key, r := range b.Speeds {
		merged.Speeds[key] = r
	}
	*b = *merged
	if data, err := json.Marshal(b); err == nil {
		c.SetNote(bookNote, append(data, '\n'))
	}
}
