// Package checkpoint stores models as safetensors files: named float32 tensors with a map of
// metadata. A file is
//
//	8 bytes   length of the header, little-endian
//	header    JSON: {"__metadata__": {...}, "NAME": {"dtype": "F32", "shape": [...], "data_offsets": [from, to]}, ...}
//	data      tensors in the order of the header, float32 little-endian, row-major, without gaps
//
// as described by the format's own README (github.com/huggingface/safetensors). Files that we write
// hold the metadata keys sorted and the header padded with spaces so that the data begins at a
// multiple of 64 bytes: same tensors, same bytes. Files of others are read too, if all their
// tensors are F32.
//
// Tensors of an open file are views of a memory mapping. Parameter averages (Average) read them in
// one pass, all models abreast, and keep no sums in memory: merging takes the memory of the result
// and of the pages of the operating system's that the models lie in, which it takes back at will,
// however many models there are. A Shelf keeps files mapped between averages, so that a sweep over
// mixtures of the same models opens each once.
//
// An average is summed in float64 in the order of its files, every product and sum rounded, and
// rounded to float32 once. Sums in float32 would be off by up to n/2 last bits of the largest term,
// and would show the order everywhere; in float64 the result is mostly the nearest float32 to the
// exact average. Mostly: now and then the order still decides the last bit. Whoever promises that
// recipes of one meaning have one bit pattern must fix the order, as the pipeline does by content.
// At the rate of memory float64 costs nothing. Not promised: which of two NaNs comes through where
// models have both.
//
// The package does not promise to detect changed numbers: the format has no checksums, the cache
// verifies whole files. It knows nothing of what the tensors mean; stages choose names and metadata
// keys.
package checkpoint
