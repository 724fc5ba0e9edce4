package remote

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"ablate/cache"
)

// BenchmarkDistant looks 400 entries of one small blob each up at a store that answers after 20 ms,
// one after the other and as many at once as a run does.
func BenchmarkDistant(b *testing.B) {
	s := fake(b, nil)
	from := newCache(b)
	var keys []cache.Key
	for i := range 400 {
		keys = append(keys, commit(b, from, fmt.Sprint(i), map[string]string{"n": fmt.Sprint(i)}).Key)
	}
	if _, err := open(b, s.url()).Push(b.Context(), from, from.Keys(), Push{}); err != nil {
		b.Fatal(err)
	}
	s.set(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(20 * time.Millisecond)
		next.ServeHTTP(w, r)
	})
	for _, atOnce := range []int{1, 16} {
		b.Run(fmt.Sprintf("at once=%d", atOnce), func(b *testing.B) {
			for b.Loop() {
				to := newCache(b)
				src := NewSource(b.Context(), open(b, s.url()), to, false, func(err error) { b.Error(err) })
				ask := make(chan cache.Key)
				var wg sync.WaitGroup
				for range atOnce {
					wg.Go(func() {
						for key := range ask {
							if _, err := to.Lookup(key); err != nil {
								b.Error(err)
							}
						}
					})
				}
				for _, key := range keys {
					ask <- key
				}
				close(ask)
				wg.Wait()
				src.Close()
			}
		})
	}
}
