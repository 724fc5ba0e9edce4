package tables

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// A fingerprint is what stands for a paragraph: the first 16 bytes of the SHA-256 of the form in
// which paragraphs are compared (corpus.Paragraphs). Among a billion paragraphs two different ones
// agree with probability 10^-21.
type Fingerprint [16]byte

// FingerprintOf is the fingerprint of a paragraph in the form in which paragraphs are compared.
func FingerprintOf(paragraph string) Fingerprint {
	sum := sha256.Sum256([]byte(paragraph))
	return Fingerprint(sum[:16])
}

// Fingerprints takes the hashes of a row apart.
func Fingerprints(hashes []uint64) ([]Fingerprint, error) {
	if len(hashes)%2 != 0 {
		return nil, errors.New("an odd number of half hashes")
	}
	all := make([]Fingerprint, len(hashes)/2)
	for i := range all {
		binary.BigEndian.PutUint64(all[i][:8], hashes[2*i])
		binary.BigEndian.PutUint64(all[i][8:], hashes[2*i+1])
	}
	return all, nil
}
