// Package cache keeps what steps produced, under the key of what went in.
//
// It knows bytes, names and keys, and nothing of what a step is. Its words:
//
//   - a [Digest] is the SHA-256 of some bytes; a [Key] is the SHA-256 of a
//     list of key inputs ([KeyOf]);
//   - a blob is a file stored under its digest;
//   - an [Entry] says which blobs, under which names, the step of a key left
//     behind, and who made them;
//   - a [Build] is a private directory that becomes an entry by [Build.Commit];
//   - a [Claim] tells others that this process is at work on the step of a
//     key; it is no lock, and nothing rests on it;
//   - a [Root] is a study whose last run looked up some keys: what
//     [Cache.GC] keeps;
//   - a [Miss] is the typed answer "not here, compute it", with the reason.
//
// Any number of goroutines, processes and hosts may use one directory at the same time; nobody
// holds a lock while working. FORMAT.md documents the directory, the order of writes and what a
// reader checks.
//
// What it does not promise: that two builds of one key run once where claims are not kept or are
// broken (the first commit wins, the other was wasted work); that it notices an edit made by
// someone who also restores every file time and inode, or rewrites the memo ([Cache.Verify] does,
// it reads every byte); that anything in partial/ survives a power cut; that a file in a build
// stays as it was if someone still writes to it after Commit began (Commit refuses it when it sees
// it).
package cache

import _ "ablate/cache/system"
