package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/cache"
)

// moto starts the server that AWS's own libraries are tested with.
func moto(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("there is no moto_server on the PATH; to test on it: pip install 'moto[server]'")
	}
	hideCredentials(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", fmt.Sprint(at.Port))
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") }) // it uses a client itself
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodPut, fmt.Sprintf("http://%s/%s", at, testBucket), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("moto_server does not answer")
		}
	}
	return "s3://" + testBucket + "/group/ablate?endpoint=" + url.QueryEscape("http://"+at.String())
}

// spoil writes other bytes over an object of a remote, as somebody who may write there could.
func spoil(t *testing.T, r *Remote, name string, data []byte) {
	t.Helper()
	switch p := r.place.(type) {
	case directory:
		path := p.path(name)
		if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	case *bucket:
		opts := p.putOptions()
		if _, err := p.s3.Client.PutObject(t.Context(), p.name, p.prefix+name, bytes.NewReader(data), int64(len(data)), opts); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyAndHeal: whatever is wrong at a remote, Verify tells of it, a push with Check writes it
// again from a cache that has it and says so, and Verify is content afterwards. A plain push sees
// other sizes and, in a directory, whatever was written to.
func TestVerifyAndHeal(t *testing.T) {
	twin := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	short := func(b []byte) []byte { return b[:len(b)-1] }
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
		entry  bool
		plain  bool // a plain push heals it at a store, too
		want   string
	}{
		{"a bit of a blob", twin, false, false, "its bytes have digest"},
		{"the end of a blob", short, false, true, "has 2999 bytes, its entry says 3000"},
		{"a bit of an entry", twin, true, false, "sum is"},
		{"the end of an entry", short, true, false, "does not end in its sum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, url string) {
				from := filled(t)
				r := open(t, url)
				if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
					t.Fatal(err)
				}
				if v, err := r.Verify(t.Context(), nil); err != nil || len(v.Problems) > 0 || v.Entries != 4 || v.Blobs != 5 {
					t.Fatalf("before: %+v, %v", v, err)
				}
				key := cache.KeyOf(step("two"))
				name, data := blobName(cache.DigestOf([]byte(noise(1, 3000)))), []byte(noise(1, 3000))
				if tt.entry {
					var err error
					if data, err = from.EntryBytes(key); err != nil {
						t.Fatal(err)
					}
					name = entryName(key)
				}
				r = open(t, url) // as another process
				spoil(t, r, name, tt.damage(data))
				v, err := r.Verify(t.Context(), nil)
				if err != nil || len(v.Problems) == 0 || v.Problems[0].Path != name || !strings.Contains(v.Problems[0].Detail, tt.want) {
					t.Fatalf("Verify: %+v, %v; want %q of %s", v, err, tt.want, name)
				}
				rep, err := r.Push(t.Context(), from, from.Keys(), Push{})
				healed := 0
				if _, dir := r.place.(directory); !tt.entry && (tt.plain || dir) {
					healed = 1
				}
				if err != nil || rep.Moved.Healed != healed || rep.Moved.Blobs != healed || len(rep.Failed) > 0 != tt.entry {
					t.Errorf("a plain push: %+v, %v; want %d healed", rep, err, healed)
				}
				if tt.entry && !strings.Contains(rep.Failed[0].Error(), "--check") {
					t.Errorf("the failure does not say what to do: %v", rep.Failed[0])
				}
				r = open(t, url)
				rep, err = r.Push(t.Context(), from, from.Keys(), Push{Check: true, Dry: true})
				if err != nil || rep.Moved.Healed != 1-healed {
					t.Errorf("a dry push --check: %+v, %v; want %d to be healed", rep, err, 1-healed)
				}
				rep, err = open(t, url).Push(t.Context(), from, from.Keys(), Push{Check: true})
				if err != nil || len(rep.Failed) > 0 || rep.Moved.Healed != 1-healed || rep.Moved.Entries+rep.Moved.Blobs != 1-healed {
					t.Errorf("push --check: %+v, %v; want %d healed", rep, err, 1-healed)
				}
				if v, err := r.Verify(t.Context(), nil); err != nil || len(v.Problems) > 0 {
					t.Errorf("afterwards: %+v, %v", v, err)
				}
				to := newCache(t)
				if rep, err := r.Pull(t.Context(), to, r.Keys(t.Context()), false, nil); err != nil || len(rep.Failed) > 0 {
					t.Fatalf("pull: %+v, %v", rep, err)
				}
				wantSame(t, from, to)
			})
		})
	}
}

// TestVerifyMissing: an entry without its blob, and a name that is no part of a cache.
func TestVerifyMissing(t *testing.T) {
	from := filled(t)
	dir := filepath.Join(t.TempDir(), "shared")
	r := open(t, dir)
	if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	blob := blobName(cache.DigestOf([]byte(noise(1, 3000))))
	if err := errors.Join(os.Remove(filepath.Join(dir, blob)), os.WriteFile(filepath.Join(dir, blob+".12.tmp"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "blobs", "note"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify(t.Context(), nil)
	if err != nil || len(v.Problems) != 2 || !strings.Contains(fmt.Sprint(v.Problems), "is not there") || !strings.Contains(fmt.Sprint(v.Problems), "blobs/note: no part of a cache") {
		t.Errorf("%+v, %v", v, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := r.Verify(ctx, nil); !errors.Is(err, stop) {
		t.Errorf("after an interruption: %v", err)
	}
}

// TestPushWritesOnce: a blob that two entries share is sent once, and the counts say so.
func TestPushWritesOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, url string) {
		from := filled(t)
		rep, err := open(t, url).Push(t.Context(), from, from.Keys(), Push{})
		if want := (Count{Entries: 4, Blobs: 5, Bytes: 17<<20 + 3000 + 13 + 4}); err != nil || rep.Moved != want {
			t.Errorf("%+v, %v; want %+v", rep.Moved, err, want)
		}
	})
}

// TestAdvice: what a store answers is told in a line of ours that says what to do, and no failure
// is taken for an empty remote.
func TestAdvice(t *testing.T) {
	for code, tt := range map[string]struct {
		status int
		want   string
	}{
		"NoSuchBucket":                 {404, "there is no bucket results at http://127.0.0.1"},
		"AccessDenied":                 {403, "no access to bucket results"},
		"InvalidAccessKeyId":           {403, "does not know the access key"},
		"SignatureDoesNotMatch":        {403, "secret key does not belong"},
		"ExpiredToken":                 {400, "session token has expired"},
		"RequestTimeTooSkewed":         {403, "clock of this machine is wrong"},
		"AuthorizationHeaderMalformed": {400, "is in region eu-north-1: say region=eu-north-1"},
		"PermanentRedirect":            {301, "another region"},
		"SlowDown":                     {503, "busy"},
		"MethodNotAllowed":             {405, "does not behave as an S3 store"},
		"":                             {418, "is not an S3 store"},
	} {
		t.Run(code, func(t *testing.T) {
			s := fake(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
				w.WriteHeader(tt.status)
				if code == "" {
					io.WriteString(w, "<html><body>Welcome\x1b[2J to nginx"+strings.Repeat("!", 2000))
					return
				}
				region := ""
				if code == "AuthorizationHeaderMalformed" {
					region = "<Region>eu-north-1</Region>"
				}
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>in the store's own words</Message>%s</Error>", code, region)
			})
			c, r := newCache(t), open(t, s.url())
			_, pull := r.Pull(t.Context(), c, open(t, s.url()).Keys(t.Context()), false, nil)
			_, push := open(t, s.url()).Push(t.Context(), c, c.Keys(), Push{})
			_, verify := open(t, s.url()).Verify(t.Context(), nil)
			for what, err := range map[string]error{"pull": pull, "push": push, "verify": verify} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "the remote is empty") || strings.ContainsAny(err.Error(), "\x1b\n") {
					t.Errorf("%s: %v; want %q", what, err, tt.want)
					continue
				}
				if ours, theirs := strings.Index(err.Error(), tt.want), strings.Index(err.Error(), "the store answers"); theirs < ours {
					t.Errorf("%s: does not begin with our words: %v", what, err)
				}
				if len(err.Error()) > 900 {
					t.Errorf("%s: %d bytes of error", what, len(err.Error()))
				}
			}
		})
	}
}

// TestBareNotFound: a 404 without a word, as some gateways give, for a bucket that does not exist.
func TestBareNotFound(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { w.WriteHeader(http.StatusNotFound) })
	err := open(t, s.url()).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "there is no bucket results") {
		t.Errorf("Check: %v", err)
	}
}

// TestMissingBucket asks stores for a bucket that they do not have, and for an empty one.
func TestMissingBucket(t *testing.T) {
	for _, name := range []string{"gofakes3", "versitygw", "moto"} {
		t.Run(name, func(t *testing.T) {
			at := stores[name](t)
			if err := open(t, at).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "the remote is empty") {
				t.Errorf("an empty bucket: %v", err)
			}
			err := open(t, strings.Replace(at, "s3://"+testBucket, "s3://absent", 1)).Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), "there is no bucket absent") {
				t.Errorf("no bucket: %v", err)
			}
		})
	}
}

// TestUnreachable: an endpoint where nobody answers, and one that does not exist.
func TestUnreachable(t *testing.T) {
	hideCredentials(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	plain := srv.URL
	defer srv.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for endpoint, want := range map[string]string{
		gone.URL: "nothing answers at the endpoint",
		strings.Replace(plain, "http:", "https:", 1): "does not speak https",
	} {
		err := open(t, "s3://results/x?endpoint="+url.QueryEscape(endpoint)).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", endpoint, err, want)
		}
	}
}

// TestCredentials: where they are looked for, and that no machine's metadata service is asked where
// a request to it cannot be meant.
func TestCredentials(t *testing.T) {
	home := t.TempDir()
	files := func(config, keys string) map[string]string {
		return map[string]string{"config": config, "credentials": keys}
	}
	keys := "[default]\naws_access_key_id = AKIAFROMTHEFILE\naws_secret_access_key = secretofthefile\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = secretofother\n"
	const metadata = "the metadata service"
	for name, tt := range map[string]struct {
		env      map[string]string
		files    map[string]string
		endpoint bool
		query    string
		want     string // access key, or words of the error
		asks     bool   // the metadata service
	}{
		"environment":              {env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}, files: files("", keys), want: "AKIAENV", asks: true},
		"file":                     {files: files("", keys), want: "AKIAFROMTHEFILE", asks: true},
		"profile of environment":   {env: map[string]string{"AWS_PROFILE": "other"}, files: files("", keys), want: "AKIAOTHER"},
		"profile of URL":           {env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}, files: files("", keys), query: "other", want: "AKIAOTHER"},
		"keys in config":           {files: files(keys, ""), endpoint: true, want: "AKIAFROMTHEFILE"},
		"none, endpoint named":     {endpoint: true, want: "none were found in AWS_ACCESS_KEY_ID"},
		"none, metadata disabled":  {env: map[string]string{"AWS_EC2_METADATA_DISABLED": "TRUE"}, want: "none were found in AWS_ACCESS_KEY_ID"},
		"half a pair":              {endpoint: true, files: files("", "[default]\naws_access_key_id = AKIAHALF\n"), want: "must both be set"},
		"credential process fails": {endpoint: true, files: files("[default]\ncredential_process = false x\n", ""), want: "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			hideCredentials(t)
			for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"} {
				t.Setenv(v, "")
			}
			for v, file := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"} {
				path := filepath.Join(home, file)
				t.Setenv(v, path)
				if err := os.WriteFile(path, []byte(tt.files[file]), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for v, text := range tt.env {
				t.Setenv(v, text)
			}
			list := sources(tt.query, "", tt.endpoint)
			if asks := strings.Contains(list[len(list)-1].where, metadata); asks != tt.asks {
				t.Errorf("asks the metadata service: %v, want %v", asks, tt.asks)
			}
			if tt.asks {
				list = list[:len(list)-1] // a test does not
			}
			r := open(t, t.TempDir())
			v, err := (&finder{sources: list, tell: r.hide}).Retrieve()
			if got := fmt.Sprint(v.AccessKeyID, err); !strings.Contains(got, tt.want) {
				t.Errorf("found %s; want %q", got, tt.want)
			}
			if err == nil && !strings.Contains(r.failed("reading", "", errors.New("of "+v.SecretAccessKey+" and "+v.AccessKeyID)).Error(), "[credential]") {
				t.Error("what was found is told in messages")
			}
		})
	}
}

// TestNoCredentials: a request without credentials is not sent.
func TestNoCredentials(t *testing.T) {
	s := fake(t, nil)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	err := open(t, s.url()).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "there are no credentials for the store: set AWS_ACCESS_KEY_ID") {
		t.Errorf("Check: %v", err)
	}
	if n := s.requests(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	if err := open(t, s.url()+"&anonymous=true").Check(t.Context()); err == nil || !strings.Contains(err.Error(), "the remote is empty") {
		t.Errorf("anonymous: %v", err)
	}
}

// TestProfile: region and endpoint come from the profile; a role that would have to be assumed, and
// a profile that does not exist, are refused.
func TestProfile(t *testing.T) {
	hideCredentials(t)
	path := filepath.Join(t.TempDir(), "config")
	t.Setenv("AWS_CONFIG_FILE", path)
	if err := os.WriteFile(path, []byte("[profile lab]\nregion = eu-west-3\nendpoint_url = http://store.lab:9000\n[profile boss]\nrole_arn = arn:aws:iam::1:role/boss\nsource_profile = lab\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, "s3://results/x?profile=lab")
	if b := r.place.(*bucket); b.endpoint != "http://store.lab:9000" {
		t.Errorf("endpoint %s", b.endpoint)
	}
	for at, want := range map[string]string{"s3://results/x?profile=boss": "assumes a role", "s3://results/x?profile=nobody": "there is no profile nobody"} {
		if _, err := Open(at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", at, err, want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://everything.lab")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://s3.lab")
	if b := open(t, "s3://results/x").place.(*bucket); b.endpoint != "http://s3.lab" {
		t.Errorf("endpoint %s", b.endpoint)
	}
}

// TestAsksAtOnce: entries that are looked up at once are asked for at once, up to a bound, and each
// once.
func TestAsksAtOnce(t *testing.T) {
	s := fake(t, nil)
	from, to := newCache(t), newCache(t)
	var keys []cache.Key
	for i := range 40 {
		keys = append(keys, commit(t, from, fmt.Sprint(i), map[string]string{"n": fmt.Sprint(i)}).Key)
	}
	r := open(t, s.url())
	if _, err := r.Push(t.Context(), from, from.Keys(), Push{}); err != nil {
		t.Fatal(err)
	}
	under, most := make(chan struct{}, 1000), make(chan int, 1000)
	s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		under <- struct{}{}
		most <- len(under)
		time.Sleep(20 * time.Millisecond)
		next.ServeHTTP(w, r)
		<-under
	})
	var w warnings
	src := NewSource(t.Context(), open(t, s.url()), to, false, w.add)
	defer src.Close()
	done := make(chan error)
	for _, key := range append(keys, keys...) {
		go func() { _, err := to.Lookup(key); done <- err }()
	}
	for range 2 * len(keys) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := s.requests("GET", "/entries/"); n != len(keys) {
		t.Errorf("%d requests for %d entries", n, len(keys))
	}
	close(most)
	top := 0
	for n := range most {
		top = max(top, n)
	}
	if top < 8 || top > requests {
		t.Errorf("%d requests at once, want at least 8 and at most %d", top, requests)
	}
	w.want(t, 0)
}
