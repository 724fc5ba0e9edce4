// Package random has streams of random numbers by seed and purpose, whose draws are pinned for
// good: golden digests depend on them.
package random

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
)

// Stream returns a random generator of its own for one purpose: two streams agree only if seed,
// purpose and all numbers do. The state is a hash of the labelled line, so that neighbouring seeds
// give unrelated streams.
func Stream(seed int64, purpose string, numbers ...int64) *rand.PCG {
	sum := sha256.Sum256(fmt.Appendf(nil, "ablate stream %q seed %d numbers %d", purpose, seed, numbers))
	return rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16]))
}

// Below returns a number in [0, n), n > 0: the high word of a 64 x 64 bit product is uniform but
// for a bias below n/2^64. Written out, it pins the draws whatever rand.IntN becomes.
func Below(rng *rand.PCG, n int) int {
	k, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(k)
}

// Shuffle permutes s (Fisher and Yates 1938, in Durstenfeld's form: Algorithm 235, CACM 1964).
func Shuffle[T any](rng *rand.PCG, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := Below(rng, i+1)
		s[i], s[j] = s[j], s[i]
	}
}

// HashOrder places an identity among others in an order that depends on nothing but the identity,
// so that a choice of the first so many changes little when others come or go.
func HashOrder(id string) [sha256.Size]byte { return sha256.Sum256([]byte(id)) }
