package remote

import (
	"sync"

	"ablate/cache"
)

// ahead is a queue of blobs that are brought before anybody asks for them, so that a step that
// opens ten models does not wait for ten downloads in turn. Without start it does nothing.
type ahead struct {
	mu    sync.Mutex
	more  *sync.Cond // nil before start
	queue []cache.Digest
	ended bool
	wg    sync.WaitGroup
}

// start begins to call bring for what is added, several at once.
func (a *ahead) start(bring func(cache.Digest)) {
	a.more = sync.NewCond(&a.mu)
	for range workers / 2 { // the other half for those who ask
		a.wg.Go(func() {
			for {
				a.mu.Lock()
				for len(a.queue) == 0 && !a.ended {
					a.more.Wait()
				}
				if a.ended {
					a.mu.Unlock()
					return
				}
				d := a.queue[0]
				a.queue = a.queue[1:]
				a.mu.Unlock()
				bring(d)
			}
		})
	}
}

func (a *ahead) add(d cache.Digest) {
	if a.more == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = append(a.queue, d)
	a.more.Signal()
}

// clear forgets what has not begun.
func (a *ahead) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = nil
}

// stop waits for what has begun; nothing more begins.
func (a *ahead) stop() {
	if a.more == nil {
		return
	}
	a.mu.Lock()
	a.ended = true
	a.more.Broadcast()
	a.mu.Unlock()
	a.wg.Wait()
}
