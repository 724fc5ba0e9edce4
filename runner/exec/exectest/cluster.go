package exectest

import (
	"context"
	"fmt"
	"slices"

	"ablate/cache"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// Cluster is an executor that stands for a scheduler of another machine. Its one node carries out a
// task at a time. Tasks reach the node as text. The scheduler loses sight of every task that ends,
// so that what became of the task is found in the cache.
type Cluster struct {
	worker exec.Worker // of the node
	queue  []queued
	cancel context.CancelFunc // of the task that the node is at
	at     cache.Key
	tell   chan exec.Report // from the node
	ended  []exec.Report    // of tasks that never reached the node

	Sent [][]byte // every task that the node was sent
}

// queued is a task on its way to the node.
type queued struct {
	key      cache.Key
	priority int64
	text     []byte
}

// NewCluster makes a cluster whose node has a worker.
func NewCluster(w exec.Worker) *Cluster { return &Cluster{worker: w, tell: make(chan exec.Report)} }

// Room is there for every task: tasks wait in the queue.
func (c *Cluster) Room(kind.Needs) bool { return true }

// Submit puts a task into the queue.
func (c *Cluster) Submit(t *exec.Task) {
	text, err := t.Encode()
	if err == nil && t.Needs.Devices > 0 {
		err = fmt.Errorf("no node has %d devices", t.Needs.Devices)
	}
	if err != nil {
		c.ended = append(c.ended, exec.Report{Key: t.Key, What: exec.Ended, Err: err})
		return
	}
	c.queue = append(c.queue, queued{t.Key, t.Priority, text})
}

// Poll sends the node the next task, and waits for what the node says.
func (c *Cluster) Poll(ctx context.Context) []exec.Report {
	if len(c.ended) > 0 {
		ended := c.ended
		c.ended = nil
		return ended
	}
	if c.cancel == nil && len(c.queue) > 0 {
		c.send()
	}
	select {
	case rep := <-c.tell:
		if rep.What == exec.Ended {
			c.cancel()
			c.cancel = nil
			rep = c.settled(rep)
		}
		return []exec.Report{rep}
	case <-ctx.Done():
		return nil
	}
}

// send hands the node the most urgent task.
func (c *Cluster) send() {
	slices.SortStableFunc(c.queue, func(a, b queued) int { return int(b.priority - a.priority) })
	next := c.queue[0]
	c.queue = c.queue[1:]
	c.Sent = append(c.Sent, next.text)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.at = cancel, next.key
	go func() { // Poll waits for its last report
		t, err := exec.DecodeTask(next.text)
		if err != nil {
			c.tell <- exec.Report{Key: next.key, What: exec.Ended, Err: err}
			return
		}
		c.tell <- c.worker.Do(ctx, t, exec.Grant{Threads: 1}, func(rep exec.Report) { c.tell <- rep })
	}()
}

// settled is the end of a task of which the scheduler knows no more than that it is over.
func (c *Cluster) settled(rep exec.Report) exec.Report {
	entry, err := c.worker.Cache.Lookup(rep.Key)
	if err != nil {
		return rep
	}
	rep.Entry, rep.Err = entry, nil
	return rep
}

// Cancel takes a task out of the queue, or tells the node to stop.
func (c *Cluster) Cancel(key cache.Key) {
	if c.cancel != nil && c.at == key {
		c.cancel()
		return
	}
	if i := slices.IndexFunc(c.queue, func(q queued) bool { return q.key == key }); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
		c.ended = append(c.ended, exec.Report{Key: key, What: exec.Ended, Err: context.Canceled})
	}
}
