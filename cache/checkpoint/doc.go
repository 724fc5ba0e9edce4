// Package checkpoint stores models as safetensors files: named float32 tensors with a map of metadata. A file is
//
//	8 bytes   length of the header, little-endian
//	header    JSON: {"__metadata__": {...}, "NAME": {"dtype": "F32", "shape": [...], "data_offsets": [from, to]}, ...}
//	data      tensors in the order of the header, float32 little-endian, row-major, without gaps
//
// as described by the format's own README (github.com/huggingface/safetensors). Files that we write hold the metadata
// keys sorted and the header padded with spaces so that the data begins at a multiple of 64 bytes: same tensors, same
// bytes. Files of others are read too, if all their tensors are F32.
//
// Tensors of an open file are views of a memory mapping, and parameter averages (Average) read them chunk by chunk,
// so that merging takes the memory of one model however many are merged.
//
// The package does not promise to detect changed numbers: the format has no checksums, the cache verifies whole files.
// It knows nothing of what the tensors mean; stages choose names and metadata keys.
package checkpoint
