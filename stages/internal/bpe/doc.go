// Package bpe turns text into token ids and back: byte-level byte-pair encoding as described by a
// Hugging Face tokenizer.json, and a trainer for small vocabularies of our own.
//
// Words: a *token* is a byte string with an id. The *split* (pre-tokenizer) cuts text into *words*,
// which merges never cross. A *merge* joins two neighbouring tokens; its *rank* is its place in the
// file, and the lowest rank is always applied first, the leftmost of equals first. An *added token*
// is matched as literal text before the split; a *special* one marks structure such as the end of a
// document.
//
// Supported: byte-level BPE, no normalizer or NFC, the GPT-2 split or the tiktoken split of dolma2,
// added tokens without strip or word flags. Load refuses anything else, all of it at once, by the
// name of each feature, rather than encode differently from the library that wrote the file. The
// ids of added tokens that are not in the vocabulary are those that the library gives them: the
// next ones behind the vocabulary's, in the order of the file, whatever id the file says.
//
// Not promised: offsets, truncation, padding, templates with special tokens, or a guess at what an
// unknown option means. Letters and numbers are those of Unicode 16 and combining marks older ones,
// both as in version 0.23.3 of the reference library.
//
// Checked by hand against Hugging Face tokenizers 0.23.3, ids equal: GPT-2, GPT-NeoX-20B, its Dolma
// variant, dolma2 and a tokenizer trained and written here, each on 35,896 texts (41 MB) of prose,
// source code, 60 languages, repeated and random characters.
package bpe
