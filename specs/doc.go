// Package specs is what a person writes: the study language, its strict reading, its checks, its
// JSON Schema and its reference, and the studies that come with the program.
//
// The words. A corpus names raw files. A set of partitions divides a corpus by metadata into
// partitions, and each partition into base units of about equal size. A unit model is trained on
// one unit, all from one seed model. A mixture is a combination of partitions or units. A reference
// model is trained on a mixture itself; a proxy is an average that stands in for it. An evaluation
// set is text that losses are measured on: in-domain (held out of the mixture's own partitions) or
// out-of-domain.
//
// Load reads a study and returns it with every default filled in, or Errors: every mistake of the
// file at once, each with file:line:column. What can be known from the file alone is checked here:
// words, types, ranges, names that refer to others, numbers that contradict one another. A
// mixture's "from" is filled in where the study has one set of partitions; the proxy ind_id is left
// out of the default proxies where nothing is evaluated in-domain.
//
// A study may extend another one, whose keys it is then laid over, and may carry a miniature of
// itself, which is laid over it on request.
//
// Not promised: that files exist, that environment variables are set, or that undeclared partitions
// turn up in the data. Who finds such a mistake later reports it with Study.At or Study.Errorf, in
// the same form. Nothing here computes keys of the cache.
//
// The YAML is read strictly: one document, no tags, no unknown or repeated keys, true and false for
// truth values, decimal numbers only. Anchors, aliases and merge keys (<<) work. A number stands
// for text as it is written, so a partition may be called 2019.
package specs
