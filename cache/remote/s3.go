package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"ablate/cache"
)

// bucket is what lies below a prefix in a bucket of an S3 store.
type bucket struct {
	s3       *minio.Core
	name     string
	prefix   string // empty, or ends with a slash
	endpoint string // as messages show it
	sse      encrypt.ServerSide
}

const (
	// Blobs up to this size are sent by one PUT, whose signature covers the blob's digest: a store
	// that checks signatures takes no other bytes.
	onePut = 64 << 20

	// Larger ones are sent in parts of this size, or larger where there would be too many, a few at
	// once, from the file.
	partBytes = 16 << 20
	partsMost = 9000 // S3 allows 10,000
	parallel  = 2    // beside other blobs

	requestTries = 3
)

func (b *bucket) String() string { return "bucket " + b.name + " at " + b.endpoint }

// sort turns an error of the store into one of a place.
func (b *bucket) sort(err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.Code {
	case minio.NoSuchKey:
		return errAbsent
	case minio.PreconditionFailed:
		return errTaken
	case "InvalidRange":
		return &damaged{fmt.Errorf("has fewer bytes than its entry says: %w", err)}
	}
	return &answerError{b, answer}
}

func (b *bucket) there(ctx context.Context) error {
	ok, err := b.s3.BucketExists(ctx, b.name)
	var answer minio.ErrorResponse
	switch {
	case err == nil && !ok:
		return &answerError{b, minio.ErrorResponse{Code: minio.NoSuchBucket, Message: "the store says that the bucket does not exist", StatusCode: http.StatusNotFound}}
	case errors.As(err, &answer) && answer.Code != minio.NoSuchBucket:
		return nil // whether it exists is not for these credentials to know; reading and writing will tell
	case err != nil:
		return b.sort(err)
	}
	return nil
}

func (b *bucket) open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, int64, error) {
	opts := minio.GetObjectOptions{}
	if err := b.rangeOf(&opts, offset, length); err != nil {
		return nil, 0, err
	}
	body, info, header, err := b.s3.GetObject(ctx, b.name, b.prefix+name, opts)
	if err != nil {
		return nil, 0, b.sort(err)
	}
	size := info.Size
	if text := header.Get("Content-Range"); text != "" { // bytes 5-9/10
		_, whole, _ := strings.Cut(text, "/")
		if size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			body.Close()
			return nil, 0, fmt.Errorf("the store answers with the range %.60q", text)
		}
	} else if offset > 0 {
		body.Close()
		return nil, 0, errors.New("the store ignores ranges")
	}
	return body, size, nil
}

func (b *bucket) rangeOf(opts *minio.GetObjectOptions, offset, length int64) error {
	switch {
	case offset == 0 && length < 0 || length == 0:
		return nil
	case length < 0:
		return opts.SetRange(offset, 0)
	}
	return opts.SetRange(offset, offset+length-1)
}

func (b *bucket) size(ctx context.Context, name string) (int64, error) {
	info, err := b.s3.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return 0, b.sort(err)
	}
	return info.Size, nil
}

func (b *bucket) putOptions() minio.PutObjectOptions {
	return minio.PutObjectOptions{ContentType: "application/octet-stream", ServerSideEncryption: b.sse, DisableContentSha256: true,
		PartSize: partBytes, NumThreads: parallel}
}

func (b *bucket) create(ctx context.Context, name string, data []byte) error {
	opts := b.putOptions()
	opts.SetMatchETagExcept("*")
	return b.put(ctx, name, data, opts)
}

func (b *bucket) replace(ctx context.Context, name string, damaged, data []byte) error {
	body, info, _, err := b.s3.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return b.sort(err)
	}
	was, err := io.ReadAll(io.LimitReader(body, cache.MaxEntryBytes+1))
	if err = errors.Join(err, body.Close()); err != nil {
		return err
	}
	if !bytes.Equal(was, damaged) {
		return errTaken
	}
	opts := b.putOptions()
	opts.SetMatchETag(info.ETag)
	return b.put(ctx, name, data, opts)
}

func (b *bucket) put(ctx context.Context, name string, data []byte, opts minio.PutObjectOptions) error {
	sum := sha256.Sum256(data)
	var err error
	for range requestTries {
		_, err = b.s3.PutObject(ctx, b.name, b.prefix+name, bytes.NewReader(data), int64(len(data)), "", fmt.Sprintf("%x", sum), opts)
		if err == nil || !contended(err) {
			break
		}
	}
	// After a 412 the first reply may have been lost, and this be the answer to a second try: then
	// what is there is ours.
	return b.sort(err)
}

func (b *bucket) upload(ctx context.Context, o cache.Output, file string) error {
	f, err := cache.OpenFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	name, opts := b.prefix+blobName(o.Digest), b.putOptions()
	if o.Size <= onePut {
		_, err = b.s3.PutObject(ctx, b.name, name, f, o.Size, "", o.Digest.String(), opts)
	} else {
		opts.PartSize = max(partBytes, uint64(o.Size)/partsMost)
		_, err = b.s3.Client.PutObject(ctx, b.name, name, f, o.Size, opts)
	}
	return b.sort(err)
}

// touched is never known of a store: what it keeps it checks itself, and reading it back is left to
// a check.
func (b *bucket) touched(string) bool { return false }

func (b *bucket) trust(string) {}

func (b *bucket) list(ctx context.Context, prefix string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for info := range b.s3.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
			if info.Err != nil {
				yield(object{}, b.sort(info.Err))
				return
			}
			if !yield(object{strings.TrimPrefix(info.Key, b.prefix), info.Size}, nil) {
				return
			}
		}
	}
}

// contended says whether a store was in the middle of another write to the same name (409 of S3),
// so that it must be asked again.
func contended(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && (answer.Code == "ConditionalRequestConflict" || answer.Code == "OperationAborted")
}

// transport is how stores are reached: as the library does, with more connections kept, and with
// the certificates that AWS_CA_BUNDLE names, as the AWS tools do.
func transport(secure bool) (*http.Transport, error) {
	tr, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	tr.MaxIdleConnsPerHost = 2 * requests
	if bundle := os.Getenv("AWS_CA_BUNDLE"); bundle != "" && secure {
		if tr.TLSClientConfig.RootCAs, err = certificates(bundle); err != nil {
			return nil, err
		}
	}
	return tr, nil
}

// prefixed is the prefix of names in a bucket.
func prefixed(at string) string {
	if at == "" {
		return ""
	}
	return path.Clean(at) + "/"
}
