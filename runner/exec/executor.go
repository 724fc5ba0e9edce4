package exec

import (
	"context"
	"time"

	"ablate/cache"
	"ablate/stages/kind"
)

// Executor carries out tasks: in this process (package local), or by handing them to whatever
// starts processes elsewhere. It knows nothing of a plan: which task is next, what must be done
// before it and whether a failed one is begun again is the business of who calls it. Its methods
// are called from one goroutine.
//
// A task is known by its key, and none is submitted twice before its end was reported. Whether a
// task is done, the cache alone says: an executor whose scheduler calls a task done that has no
// entry reports a failure, and one whose scheduler lost sight of a task that has an entry reports
// its end. Package exectest holds every executor to this.
type Executor interface {
	// Room says whether a task with these needs could begin now, or should be handed on now and
	// wait in a queue of the executor. While there is none the caller holds its tasks back, so that
	// the most urgent goes first once there is. With nothing under way there is room for every
	// task: one that can never be carried out fails, and says what it lacks.
	Room(needs kind.Needs) bool

	// Submit takes a task over. It does not wait. What becomes of the task is told by Poll, a
	// submission that failed too. An executor may gather tasks until the next Poll, and hand those
	// of equal needs on together.
	Submit(t *Task)

	// Poll returns what happened since the call before, in the order in which it happened. It waits
	// until there is something, or until ctx ends, and returns nothing then. The end of every task
	// submitted is reported once.
	Poll(ctx context.Context) []Report

	// Cancel asks a task to stop: it saves what it can. Its end is reported as that of any other,
	// and it may have been done before it heard. A key that is not under way is none of its
	// business.
	Cancel(key cache.Key)
}

// Report is something that happened to a task.
type Report struct {
	Key  cache.Key // of the task
	What What

	Done, Total int64  // of Progress, in Unit
	Unit        string // of Progress: tokens, documents or bytes
	Docs        int64  // of Progress: documents that a step has got through, where it reads some

	Message string // of Warning

	Entry *cache.Entry  // of an end without error: the one that the cache has
	Found bool          // of an end: somebody else made the entry
	Err   error         // of an end: why there is no entry, see ClassOf. Of Conflict: a *cache.Conflict
	Took  time.Duration // of an end
}

// What happened to a task.
type What int

const (
	Progress What = iota // it got on
	Warning              // something that a person should know, though the task goes on
	Conflict             // it gave other bytes than the entry that the cache has by now, which stands
	Ended                // it is over: done, failed or interrupted
)
