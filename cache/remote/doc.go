// Package remote shares what a cache holds through a directory or an S3 bucket,
// so that a step that was done on one machine is not done again on another.
//
// It is the only package that knows of object stores. Its words:
//
//   - a [Remote] is a directory or a prefix of a bucket, with the files version,
//     entries/ab/KEY and blobs/ab/DIGEST of a cache (FORMAT.md, section 10);
//   - a [Source] is a remote that a cache asks for what it lacks: entries at
//     once, small blobs with them, large ones when they are read or at [Source.Settle];
//   - a [Sink] takes the entries of finished steps to a remote, beside the run;
//   - [Remote.Push] and [Remote.Pull] take many.
//
// There is no list of what a remote holds. Whether it has a key is asked by
// reading that key's entry, which cannot be out of date, and two who write
// have nothing to contend for. Only a pull of everything lists the entries.
//
// Entries are written last and only where there is none: by If-None-Match at a
// store, which must honour it (asked once, before the first write), by link(2)
// in a directory. An entry that is there with other outputs is a
// *[cache.Conflict], and stays.
//
// Nothing that comes from a remote is believed: entries are decoded as those
// of a hostile cache, names that are no keys are passed over, no more bytes of a blob are
// read than its entry states, and none are kept that do not have its digest.
// What cannot be seen from here is whether the outputs of an entry are what
// its step gives: who may write a remote decides that, and an audit that runs steps again tells.
//
// Credentials come from where the AWS tools look for them, the environment
// first. They are refused in URLs, and cut from every message.
package remote
