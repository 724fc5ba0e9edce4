package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3://
)

// Remote is a place that caches share. Its methods may be called from any
// number of goroutines.
type Remote struct {
	name    string                      // as messages show it: where, and nothing of how
	dir     string                      // of a directory, absolute; else empty
	bucket  atomic.Pointer[blob.Bucket] // nil for a directory that is not there yet
	secrets []string                    // cut from messages

	beginning sync.Mutex
	checked   state     // this and the next are under beginning
	refused   time.Time // when it failed last, and why
	why       error

	mu  sync.Mutex
	bad map[string]bool // objects found damaged: pushed again
}

// state is what is known of the file version.
type state int

const (
	unasked  state = iota
	readable       // it has our version, or nothing yet
	writable       // and conditional writes are conditional
)

// options are the parameters of an s3 URL: where the store is, and never who we are.
var options = []string{"region", "endpoint", "use_path_style", "s3ForcePathStyle", "disable_https", "profile", "anonymous",
	"ssetype", "kmskeyid", "dualstack", "fips", "hostname_immutable", "request_checksum_calculation", "response_checksum_validation"}

// URLError says what is wrong with the URL of a remote, without repeating it: it may hold a password.
type URLError struct{ Why string }

func (e *URLError) Error() string {
	return "remote: " + e.Why + "; want a directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL with credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
}

// Open prepares a remote: a directory, as a path or file:///PATH, or
// s3://BUCKET/PREFIX?region=R&endpoint=URL. It does not reach for it yet. The
// error is an *[URLError] where the URL is to blame.
func Open(ctx context.Context, at string) (*Remote, error) {
	r := &Remote{secrets: secrets(), bad: map[string]bool{}}
	scheme, _, ok := strings.Cut(at, "://")
	if !ok {
		return r.openDir(at)
	}
	u, err := url.Parse(at)
	switch {
	case err != nil: // which repeats the URL
		return nil, &URLError{"the URL cannot be read"}
	case u.User != nil:
		return nil, &URLError{"the URL has a user or password in it, where logs and lists of processes would show them"}
	case scheme == "file" && u.RawQuery == "" && (u.Host == "" || u.Host == "localhost"):
		return r.openDir(filepath.FromSlash(u.Path))
	case scheme == "file":
		return nil, &URLError{"a file URL is file:///PATH and nothing more"}
	case scheme != "s3":
		return nil, &URLError{fmt.Sprintf("%q is no kind of remote", scheme)}
	}
	return r.openS3(ctx, u)
}

func (r *Remote) openDir(dir string) (*Remote, error) {
	if dir == "" {
		return nil, &URLError{"it has no name"}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	r.name, r.dir = dir, dir
	if err := r.openBucket(false); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, r.failed("opening", "", err)
	}
	return r, nil
}

// openBucket opens a directory as a bucket, as soon as it is there.
func (r *Remote) openBucket(create bool) error {
	if r.bucket.Load() != nil {
		return nil
	}
	// Temporary files must lie on the same file system, and the sidecars of metadata would be no part of a cache.
	b, err := fileblob.OpenBucket(r.dir, &fileblob.Options{CreateDir: create, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return err
	}
	r.bucket.Store(b)
	return nil
}

func (r *Remote) openS3(ctx context.Context, u *url.URL) (*Remote, error) {
	q := u.Query()
	for name, values := range q {
		if !slices.Contains(options, name) {
			return nil, &URLError{fmt.Sprintf("%.40q is no parameter of an s3 URL; there are %s", name, strings.Join(options, ", "))}
		}
		if len(values) != 1 {
			return nil, &URLError{fmt.Sprintf("parameter %s is given %d times", name, len(values))}
		}
	}
	prefix := strings.Trim(u.Path, "/")
	switch {
	case u.Host == "":
		return nil, &URLError{"an s3 URL names a bucket"}
	case u.Fragment != "" || prefix != "" && path.Clean("/"+prefix) != "/"+prefix:
		return nil, &URLError{"the prefix of an s3 URL is a plain path"}
	}
	if at := q.Get("endpoint"); at != "" {
		e, err := url.Parse(at)
		if err != nil || e.Host == "" || e.Scheme != "http" && e.Scheme != "https" {
			return nil, &URLError{"the endpoint is no http or https URL"}
		}
		if e.User != nil || e.RawQuery != "" {
			return nil, &URLError{"the endpoint has a user, a password or parameters in it"}
		}
		// Other stores than Amazon's have buckets in the path, one region of any name, and not all checksums; the bytes are checked by their digests.
		def(q, "use_path_style", "true", "s3ForcePathStyle")
		def(q, "request_checksum_calculation", "when_required")
		if os.Getenv("AWS_REGION") == "" && os.Getenv("AWS_DEFAULT_REGION") == "" && q.Get("profile") == "" && os.Getenv("AWS_PROFILE") == "" {
			def(q, "region", "us-east-1")
		}
	}
	// Else the SDK warns at every range that it cannot check its sum.
	def(q, "response_checksum_validation", "when_required")
	r.name = "s3://" + path.Join(u.Host, prefix)
	bucket, err := blob.OpenBucket(ctx, (&url.URL{Scheme: "s3", Host: u.Host, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, r.failed("opening", "", err)
	}
	if prefix != "" {
		bucket = blob.PrefixedBucket(bucket, prefix+"/")
	}
	r.bucket.Store(bucket)
	return r, nil
}

// def sets a parameter that is not given, nor under its other names.
func def(q url.Values, name, value string, others ...string) {
	for _, n := range append(others, name) {
		if q.Has(n) {
			return
		}
	}
	q.Set(name, value)
}

// Close ends the use of the remote.
func (r *Remote) Close() error {
	if b := r.bucket.Load(); b != nil {
		return b.Close()
	}
	return nil
}

// String is the remote as people may see it: no parameters, no credentials.
func (r *Remote) String() string { return r.name }

// Dir is the directory that the remote is, empty where it is a store.
func (r *Remote) Dir() string { return r.dir }

// secrets are the credentials that the environment holds.
func secrets() []string {
	var out []string
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		if v := os.Getenv(name); len(v) >= 4 { // less would cut words
			out = append(out, v, url.QueryEscape(v))
		}
	}
	return out
}

// Error is a remote that did not do what it was asked.
type Error struct {
	Remote string
	Doing  string // "reading"
	Object string // "entries/ab/KEY", or empty
	Err    error

	secrets []string
}

func (e *Error) Error() string {
	text := e.Err.Error()
	for _, s := range e.secrets {
		text = strings.ReplaceAll(text, s, "[credential]")
	}
	at := e.Remote
	if e.Object != "" {
		at += ": " + e.Doing + " " + e.Object
	} else {
		at += ": " + e.Doing
	}
	return "remote " + at + ": " + strings.Join(strings.Fields(text), " ")
}

func (e *Error) Unwrap() error { return e.Err }

func (r *Remote) failed(doing, object string, err error) error {
	return &Error{Remote: r.name, Doing: doing, Object: object, Err: err, secrets: r.secrets}
}
