// Package text turns files into tokens: the kind tokenizer trains a byte-level BPE, the kind tokenize reads documents, encodes them and hashes
// their paragraphs. What a study's patterns match, what a file is by its content, and encoding as a command (Files, ContentFormat,
// TokenStream) are here too, so that a command and a step agree about them.
//
// Not promised: that a shard's metadata, documents and paragraphs may be larger than memory. Tokens may: they are mapped.
package text

import "ablate/stages/kind"

// Tokenizer is the kind tokenizer.
var Tokenizer = kind.Kind{Name: kind.Tokenizer, Run: trainTokenizer}

// Tokenize is the kind tokenize.
var Tokenize = kind.Kind{Name: kind.Tokenize, Run: tokenize}
