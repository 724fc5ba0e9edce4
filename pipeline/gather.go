package pipeline

import (
	"encoding/binary"
	"math/bits"
)

// A step costs some ten milliseconds and leaves an entry and six blobs, whatever it reads, so that
// a corpus of many small files would cost mostly that. Its small files share steps. Which ones go
// together follows from the content of each file alone, as in content-defined chunking
// (Muthitacharoen, Chen and Mazieres, "A Low-bandwidth Network File System", SOSP 2001): a batch
// ends behind a file whose digest says so. A file that comes, goes or changes therefore changes its
// own batch, and the one behind it where the file ended a batch or now does. The order of files,
// and so of documents, is the same as if each had a step of its own: a split yields the same bytes.
const (
	// fewFiles is how many files have a step each, as in most studies: there the steps cost little,
	// a change redoes one file, and a person finds each file by its name in the plan.
	fewFiles = 32
	// largeFile is the size in bytes from which a file has a step of its own: next to its tokens
	// the step costs little.
	largeFile = 1 << 20
	// fileWeight is added to the size of a file in bytes for its weight: an empty one costs about
	// as much as some kilobytes of text do, to open and to name among the inputs of a step.
	fileWeight = 4 << 10
	// batchWeight is the mean weight of a batch: about a thousand tiny files, or four megabytes.
	batchWeight = 4 << 20
	// mostWeight is the most that a batch weighs, so it has at most 8,192 files. One in three
	// thousand batches would be heavier, and those of files that all have one content. Behind a
	// batch that ends here the next ones are cut anew, up to one that ends by itself.
	mostWeight = 8 * batchWeight
)

// gather divides files, in their order, into batches, each of them one step's.
func gather(files []File) [][]File {
	var batches [][]File
	first, weight := 0, int64(0)
	end := func(next int) { // the batch has the files before next
		if next > first {
			batches = append(batches, files[first:next:next])
			first, weight = next, 0
		}
	}
	for i, f := range files {
		w := weightOf(f)
		if f.Size >= largeFile {
			end(i)
			end(i + 1)
			continue
		}
		if weight+w > mostWeight {
			end(i)
		}
		weight += w
		if endsBatch(f, w) {
			end(i + 1)
		}
	}
	end(len(files))
	return batches
}

// singles makes a batch of each file.
func singles(files []File) [][]File {
	batches := make([][]File, len(files))
	for i := range files {
		batches[i] = files[i : i+1 : i+1]
	}
	return batches
}

// weightOf is what a file weighs in a batch.
func weightOf(f File) int64 { return f.Size + fileWeight }

// weightOfAll is what files weigh together.
func weightOfAll(files []File) (sum int64) {
	for _, f := range files {
		sum += weightOf(f)
	}
	return sum
}

// endsBatch says whether a batch ends behind a file, with probability w/batchWeight over contents,
// so that batches weigh batchWeight in the mean. What the names of files are has no part in it:
// files that are renamed and keep their order keep their batches.
func endsBatch(f File, w int64) bool {
	part, _ := bits.Mul64(binary.BigEndian.Uint64(f.Digest[:]), batchWeight) // uniform below batchWeight
	return part < uint64(w)
}
