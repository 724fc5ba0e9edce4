package remote

import (
	"context"
	"io"
	"iter"

	"ablate/cache"
)

// place is where the objects of a remote lie: a directory, or a bucket of a store. Names are
// slash-separated paths below it. An error is errAbsent where an object is not there, errTaken
// where one is and should not be, a *damaged where what lies there is to blame.
type place interface {
	// there reports what is wrong with the place as a whole: a bucket that does not exist. An empty
	// place is right.
	there(ctx context.Context) error

	// open reads an object from an offset on, length bytes of it or all where that is negative.
	// size is that of the whole object.
	open(ctx context.Context, name string, offset, length int64) (body io.ReadCloser, size int64, err error)

	// size is how many bytes an object has.
	size(ctx context.Context, name string) (int64, error)

	// create writes an object where there is none, whole or not at all.
	create(ctx context.Context, name string, data []byte) error

	// replace writes an object over one that is damaged and has these bytes; where it has others by
	// now, that is errTaken.
	replace(ctx context.Context, name string, damaged, data []byte) error

	// upload writes a blob's file, whole or not at all, over what is there.
	upload(ctx context.Context, o cache.Output, path string) error

	// touched reports whether somebody seems to have written to a blob since it was uploaded, as
	// far as can be told without reading it. trust says that it was read and is right.
	touched(name string) bool
	trust(name string)

	// list yields the objects whose names begin with a prefix that ends with a slash, in any order.
	list(ctx context.Context, prefix string) iter.Seq2[object, error]

	// String is where it lies, for messages: an address without credentials.
	String() string
}

// object is an object as it is listed.
type object struct {
	name string
	size int64 // bytes
}
