package remote

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"ablate/cache"
)

// Credentials of the tests' servers. They must turn up nowhere.
const (
	testID     = "AKIANOTAREALKEYATALL"
	testSecret = "not-a-real-secret-but-one-to-look-for"
	testBucket = "results"
)

// hideCredentials sets what the servers want, and keeps the SDK from looking elsewhere.
func hideCredentials(t testing.TB) {
	t.Helper()
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": testID, "AWS_SECRET_ACCESS_KEY": testSecret, "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "", "AWS_CA_BUNDLE": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
}

// stores are the remotes that a test runs on: each gives the URL of an empty one.
var stores = map[string]func(*testing.T) string{
	"directory": func(t *testing.T) string { return filepath.Join(t.TempDir(), "shared") },
	"gofakes3":  func(t *testing.T) string { return fake(t, nil).url() },
	"versitygw": versity,
	"moto":      moto,
}

func eachStore(t *testing.T, f func(t *testing.T, url string)) {
	for _, name := range []string{"directory", "gofakes3", "versitygw", "moto"} {
		t.Run(name, func(t *testing.T) { f(t, stores[name](t)) })
	}
}

// tap is an S3 server in memory behind a handler that may spoil what passes.
type tap struct {
	at string

	mu   sync.Mutex
	seen []string // METHOD PATH RANGE
	do   func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func fake(t testing.TB, do func(http.ResponseWriter, *http.Request, http.Handler)) *tap {
	t.Helper()
	hideCredentials(t)
	backend := s3mem.New()
	if err := backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	next := gofakes3.New(backend).Server()
	s := &tap{do: do}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
		do := s.do
		s.mu.Unlock()
		if do == nil {
			next.ServeHTTP(w, r)
			return
		}
		do(w, r, next)
	}))
	t.Cleanup(srv.Close)
	s.at = srv.URL
	return s
}

func (s *tap) url() string {
	return "s3://" + testBucket + "/group/ablate?endpoint=" + url.QueryEscape(s.at)
}

func (s *tap) set(do func(http.ResponseWriter, *http.Request, http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do, s.seen = do, nil
}

// requests counts the requests since set whose line holds all of some words.
func (s *tap) requests(words ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, line := range s.seen {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			n++
		}
	}
	return n
}

// versity starts a real S3 server over a directory.
func versity(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("versitygw")
	if err != nil {
		t.Skip("there is no versitygw on the PATH; to test on a real S3 server: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	}
	hideCredentials(t)
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, testBucket), 0o777); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	cmd := exec.Command(program, "--port", at, "--quiet", "posix", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+testID, "ROOT_SECRET_KEY="+testSecret)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("versitygw: %s", out.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not listen: %v\n%s", err, out.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "s3://" + testBucket + "/group/ablate?endpoint=" + url.QueryEscape("http://"+at)
}

func open(t testing.TB, at string) *Remote {
	t.Helper()
	r, err := Open(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func newCache(t testing.TB) *cache.Cache {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func step(name string) []cache.KeyInput { return []cache.KeyInput{{Label: "step", Value: name}} }

// commit makes an entry of files.
func commit(t testing.TB, c *cache.Cache, name string, files map[string]string) *cache.Entry {
	t.Helper()
	b, err := c.Begin(cache.KeyOf(step(name)))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range files {
		path := filepath.Join(b.Dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	e, err := b.Commit("test", step(name), cache.Provenance{Host: "here", Step: name})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// noise is text that no two seeds share, and that no transport makes smaller.
func noise(seed uint64, n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(b)
	return string(b)
}

// filled is a cache with entries that differ in what their transport may trip over: an empty blob,
// one that two share, one of several parts.
func filled(t *testing.T) *cache.Cache {
	t.Helper()
	c := newCache(t)
	commit(t, c, "none", nil)
	commit(t, c, "empty", map[string]string{"empty": "", "same": "shared by two"})
	commit(t, c, "two", map[string]string{"dir/a": "shared by two", "dir/b": "shared by two", "c": noise(1, 3000)})
	commit(t, c, "large", map[string]string{"model": noise(2, 17<<20), "table": "x,y\n"})
	return c
}

// wantSame wants two caches to hold the same entries and everything to verify.
func wantSame(t *testing.T, from, to *cache.Cache) {
	t.Helper()
	list := func(c *cache.Cache) string {
		var b strings.Builder
		for key, err := range c.Keys() {
			if err != nil {
				t.Fatal(err)
			}
			data, err := c.EntryBytes(key)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %s\n", key, cache.DigestOf(data))
		}
		return b.String()
	}
	if want, got := list(from), list(to); want != got {
		t.Errorf("entries:\n%swant:\n%s", got, want)
	}
	problems, err := to.Verify(t.Context(), nil)
	if err != nil || len(problems) > 0 {
		t.Errorf("Verify: %v, %v", problems, err)
	}
}

// warnings gathers what a source or sink tells.
type warnings struct {
	mu   sync.Mutex
	text []string
}

func (w *warnings) add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, err.Error())
}

func (w *warnings) want(t *testing.T, n int, words ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.text) != n {
		t.Errorf("%d warnings, want %d: %q", len(w.text), n, w.text)
	}
	for _, word := range words {
		if !strings.Contains(strings.Join(w.text, "\n"), word) {
			t.Errorf("no warning says %q: %q", word, w.text)
		}
	}
}
