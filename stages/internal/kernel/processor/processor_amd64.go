// Package processor asks the processor what it can do.
package processor

// CPUID is the instruction of that name.
func CPUID(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32) { return cpuid(leaf, subleaf) }

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

func xgetbv() (eax uint32)

// Vectors asks the processor, and the operating system (XCR0) whether it saves the wide registers.
// Bits: Intel SDM volume 2, CPUID; volume 1, section 14.3.
func Vectors() (avx2, avx512 bool) {
	const (
		fma, osxsave, avx  = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ecx
		avx2Bit            = 1 << 5                    // leaf 7, ebx
		avx512F, avx512DQ  = 1 << 16, 1 << 17
		avx512BW, avx512VL = 1 << 30, 1 << 31
		ymmState, zmmState = 0x6, 0xe6 // XCR0
	)
	has := func(r, bits uint32) bool { return r&bits == bits }
	last, _, _, _ := CPUID(0, 0)
	if last < 7 {
		return false, false
	}
	_, _, c1, _ := CPUID(1, 0)
	if !has(c1, fma|osxsave|avx) {
		return false, false
	}
	_, b7, _, _ := CPUID(7, 0)
	state := xgetbv()
	avx2 = has(state, ymmState) && has(b7, avx2Bit)
	avx512 = avx2 && has(state, zmmState) && has(b7, avx512F|avx512DQ|avx512BW|avx512VL)
	return avx2, avx512
}
