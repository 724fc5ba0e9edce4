// Package table turns Arrow IPC and Parquet files into values and back. It is the only importer of
// Arrow, so that the library can be replaced here and nowhere else. There are two kinds of file:
//
// A token file (TokenWriter, Tokens) is an Arrow IPC file, uncompressed, one row a document:
//
//	id      utf8                    identity of the document
//	tokens  list<uint16 | uint32>   token ids; uint16 when the vocabulary has at most 65,536 of them
//	bytes   int64                   length of the original text in bytes
//	chars   int64                   in Unicode code points
//	words   int64                   in words, as the tokenizing stage counts them
//
// with the schema metadata ablate.table = "tokens", ablate.version = "1" and ablate.vocab = size of
// the vocabulary. No column has nulls. The tokens of all documents of a record batch lie side by
// side in one buffer, so that a training stage reads any stretch of the stream of all documents
// straight from a memory mapping (Tokens.Read).
//
// A row table (WriteRows, ReadRows) is a Parquet file whose columns are the tagged fields of a Go
// struct.
//
// ARTIFACTS.md, in the folder above, describes both byte by byte.
//
// The package does not promise to detect a changed token, loss or name: neither format carries
// checksums, and the cache verifies whole files. It promises that a damaged file gives an error or
// other values, never a panic or a read outside the file. Nor does it promise the same bytes from
// another version of the Arrow or zstd library.
package table
