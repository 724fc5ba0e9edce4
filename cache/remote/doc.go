// Package remote shares what a cache holds through a directory or an S3 bucket, so that a step that
// was done on one machine is not done again on another.
//
// It is the only package that knows of object stores. Its words:
//
//   - a [Remote] is a directory or a prefix of a bucket, with the files version,
//     entries/ab/KEY and blobs/ab/DIGEST of a cache (FORMAT.md, section 10);
//   - a [Source] is a remote that a cache asks for what it lacks: entries at
//     once, small blobs with them, large ones when they are read or at [Source.Settle];
//   - a [Sink] takes the entries of finished steps to a remote, beside the run;
//   - [Remote.Push] and [Remote.Pull] take many;
//   - [Remote.Verify] reads everything there, and a push that checks heals it.
//
// There is no list of what a remote holds. Whether it has a key is asked by reading that key's
// entry, which cannot be out of date, and two who write have nothing to contend for. Only a pull of
// everything lists the entries.
//
// Entries are written last and only where there is none: by If-None-Match at a store, which must
// honour it (asked once, before the first write), by link(2) in a directory. An entry that is there
// with other outputs is a *[cache.Conflict], and stays.
//
// Nothing that comes from a remote is believed: entries are decoded as those of a hostile cache,
// names that are no keys are passed over, no more bytes of a blob are read than its entry states,
// and none are kept that do not have its digest. What cannot be seen from here is whether the
// outputs of an entry are what its step gives: who may write a remote decides that, and an audit
// that runs steps again tells.
//
// Credentials come from where the AWS tools look for them, the environment first. They are refused
// in URLs, and cut from every message. Without any, no request is sent; the metadata service of a
// cloud's machine is asked only where a request to it can be meant. An [Error] begins with a line
// of ours that says what to do, where we know.
//
// The client is minio-go: with it the program has 540 packages and 57 MB, with the AWS SDK below
// gocloud.dev it had 746 and 72. What the SDK does and it does not is to assume the role of a
// profile, which is refused by name. A directory needs no client.
package remote
