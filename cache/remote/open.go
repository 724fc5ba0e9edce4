package remote

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"ablate/cache"
)

// Remote is a place that caches share. Its methods may be called from any number of goroutines.
type Remote struct {
	name  string // as messages show it: where, and nothing of how
	place place

	beginning sync.Mutex
	checked   state     // this and the next are under beginning
	refused   time.Time // when it failed last, and why
	why       error

	mu      sync.Mutex
	secrets []string              // cut from messages
	bad     map[string]bool       // objects found damaged: pushed again
	sure    map[cache.Digest]bool // blobs that are there, as far as a push looks
	sending map[cache.Digest]*sync.Mutex
}

// state is what is known of the file version.
type state int

const (
	unasked  state = iota
	readable       // it has our version, or nothing yet
	writable       // and conditional writes are conditional
)

// options are the parameters of an s3 URL: where the store is, and never who we are. The last three
// were of an earlier client, and have no effect: what they chose among is settled by now, and no
// byte is believed before its digest was checked.
var options = []string{"region", "endpoint", "use_path_style", "s3ForcePathStyle", "disable_https", "profile", "anonymous",
	"ssetype", "kmskeyid", "dualstack", "fips", "hostname_immutable", "request_checksum_calculation", "response_checksum_validation"}

// URLError says what is wrong with the URL of a remote, without repeating it: it may hold a
// password.
type URLError struct{ Why string }

func (e *URLError) Error() string {
	return "remote: " + e.Why + "; want a directory, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL with credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
}

// Open prepares a remote: a directory, as a path or file:///PATH, or
// s3://BUCKET/PREFIX?region=R&endpoint=URL. It does not reach for it yet. The error is an
// *[URLError] where the URL is to blame.
func Open(at string) (*Remote, error) {
	r := &Remote{secrets: secrets(), bad: map[string]bool{}, sure: map[cache.Digest]bool{}, sending: map[cache.Digest]*sync.Mutex{}}
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
	return r.openS3(u)
}

func (r *Remote) openDir(dir string) (*Remote, error) {
	if dir == "" {
		return nil, &URLError{"it has no name"}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	r.name, r.place = dir, directory{dir}
	return r, nil
}

func (r *Remote) openS3(u *url.URL) (*Remote, error) {
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
	if err := s3utils.CheckValidBucketName(u.Host); err != nil {
		return nil, &URLError{fmt.Sprintf("%.80q cannot be the name of a bucket: %v", u.Host, err)}
	}
	r.name = "s3://" + path.Join(u.Host, prefix)
	b, err := r.bucket(u.Host, prefixed(prefix), q)
	if err != nil {
		return nil, err
	}
	r.place = b
	return r, nil
}

// flag is a parameter that is true or false.
func flag(q url.Values, names ...string) (value, given bool, err error) {
	for _, name := range names {
		if q.Has(name) {
			value, err := strconv.ParseBool(q.Get(name))
			if err != nil {
				return false, true, &URLError{fmt.Sprintf("parameter %s is neither true nor false", name)}
			}
			return value, true, nil
		}
	}
	return false, false, nil
}

// bucket prepares the client of a store.
func (r *Remote) bucket(name, prefix string, q url.Values) (*bucket, error) {
	at, err := r.endpoint(q)
	if err != nil {
		return nil, err
	}
	pathStyle, styled, err1 := flag(q, "use_path_style", "s3ForcePathStyle")
	dual, _, err2 := flag(q, "dualstack")
	anonymous, _, err3 := flag(q, "anonymous")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	opts := &minio.Options{Secure: at.scheme == "https", Region: at.region, MaxRetries: requestTries, BucketLookup: minio.BucketLookupAuto}
	switch { // other stores than Amazon's have buckets in the path
	case styled && pathStyle || !styled && at.named:
		opts.BucketLookup = minio.BucketLookupPath
	case styled:
		opts.BucketLookup = minio.BucketLookupDNS
	}
	if opts.Transport, err = transport(opts.Secure); err != nil {
		return nil, r.failed("opening", "", err)
	}
	opts.Creds = credentials.NewStaticV4("", "", "") // signs nothing
	if !anonymous {
		opts.Creds = credentials.New(&finder{sources: sources(q.Get("profile"), at.region, at.named), tell: r.hide})
	}
	client, err := minio.NewCore(at.host, opts)
	if err != nil {
		return nil, &URLError{fmt.Sprintf("the endpoint cannot be used: %v", err)}
	}
	client.SetAppInfo("ablate", "1")
	client.SetS3EnableDualstack(dual)
	b := &bucket{s3: client, name: name, prefix: prefix, endpoint: at.scheme + "://" + at.host}
	switch kind := q.Get("ssetype"); {
	case kind == "" && q.Get("kmskeyid") == "":
	case kind == "AES256":
		b.sse = encrypt.NewSSE()
	case kind == "aws:kms" || kind == "":
		if b.sse, err = encrypt.NewSSEKMS(q.Get("kmskeyid"), nil); err != nil {
			return nil, &URLError{fmt.Sprintf("parameter kmskeyid: %v", err)}
		}
	default:
		return nil, &URLError{fmt.Sprintf("parameter ssetype is %.20q; want AES256 or aws:kms", kind)}
	}
	return b, nil
}

// address is where a store is.
type address struct {
	scheme, host string
	region       string // empty: the store is asked where the bucket lies
	named        bool   // by a person; else it is Amazon's
}

// endpoint finds out which store is meant: by the URL, the environment or the profile, else
// Amazon's.
func (r *Remote) endpoint(q url.Values) (address, error) {
	p, err := readProfile(or(q.Get("profile"), os.Getenv("AWS_PROFILE")))
	if err != nil {
		return address{}, r.failed("opening", "", err)
	}
	at := address{scheme: "https", host: "s3.amazonaws.com", region: or(or(q.Get("region"), os.Getenv("AWS_REGION")), or(os.Getenv("AWS_DEFAULT_REGION"), p.region))}
	plain, _, err1 := flag(q, "disable_https")
	fips, _, err2 := flag(q, "fips")
	if err := errors.Join(err1, err2); err != nil {
		return at, err
	}
	if plain {
		at.scheme = "http"
	}
	if fips {
		if at.region == "" {
			return at, &URLError{"fips needs a region"}
		}
		at.host = "s3-fips." + at.region + ".amazonaws.com"
	}
	text := or(q.Get("endpoint"), or(os.Getenv("AWS_ENDPOINT_URL_S3"), or(os.Getenv("AWS_ENDPOINT_URL"), p.endpoint)))
	if text == "" {
		return at, nil
	}
	e, err := url.Parse(text)
	if err != nil || e.Host == "" || e.Scheme != "http" && e.Scheme != "https" {
		return at, &URLError{"the endpoint is no http or https URL"}
	}
	if e.User != nil || e.RawQuery != "" || strings.Trim(e.Path, "/") != "" {
		return at, &URLError{"the endpoint has a user, a password, a path or parameters in it"}
	}
	// Most stores have one region of any name, and are not asked for it.
	return address{scheme: e.Scheme, host: e.Host, region: or(at.region, "us-east-1"), named: true}, nil
}

// hide keeps credentials that were found out of messages.
func (r *Remote) hide(v credentials.Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []string{v.SecretAccessKey, v.SessionToken, v.AccessKeyID} {
		if len(s) >= shortest && !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s, url.QueryEscape(s))
		}
	}
}

// Close ends the use of the remote.
func (r *Remote) Close() error { return nil }

// String is the remote as people may see it: no parameters, no credentials.
func (r *Remote) String() string { return r.name }

// Dir is the directory that the remote is, empty where it is a store.
func (r *Remote) Dir() string {
	if d, ok := r.place.(directory); ok {
		return d.root
	}
	return ""
}

// shortest is the shortest secret that is cut from messages, in bytes: a shorter one would cut
// words.
const shortest = 4

// secrets are the credentials that the environment holds.
func secrets() []string {
	var out []string
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		if v := os.Getenv(name); len(v) >= shortest {
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

// Error begins with what we know of the failure and what to do about it, where we know that, and
// ends with what was tried and the error of the system or the store.
func (e *Error) Error() string {
	doing := e.Doing
	if e.Object != "" {
		doing += " " + e.Object
	}
	text := "remote " + e.Remote + ": "
	if ours := advice(e.Err); ours != "" {
		text += ours + " (" + doing + ": " + e.Err.Error() + ")"
	} else {
		text += doing + ": " + e.Err.Error()
	}
	for _, s := range e.secrets {
		text = strings.ReplaceAll(text, s, "[credential]")
	}
	return cache.Printable(strings.Join(strings.Fields(text), " "))
}

func (e *Error) Unwrap() error { return e.Err }

func (r *Remote) failed(doing, object string, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Error{Remote: r.name, Doing: doing, Object: object, Err: err, secrets: slices.Clone(r.secrets)}
}
