// Rows writes rows_amd64.s and rows_amd64.go: the loops along rows for AVX-512 and AVX2, both from
// one description, so that they cannot differ, and their callers, from rows_amd64.go.tmpl, where
// ISA stands for either. A loop's truth is the Go function of the same name in vector.go, norm.go
// and so on.
//
//	go run ./generate/rows, in the folder of package kernel
//
// AVX-512 takes 16 elements as one register, AVX2 as two halves; an accumulator of 16 partial sums
// is one register or two.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"log"
	"math"
	"os"
	"slices"
	"strings"
)

// loop describes one function:
//
//	func NAME(ptrs... *float32, n int, [sums *float32,] floats... float32)
//
// which runs body for each 16 elements, n being a multiple of 16 and not 0, and leaves the
// accumulators, 16 partial sums each, in sums.
type loop struct {
	name   string
	doc    string
	ptrs   string
	floats string
	accs   int
	start  float32 // of the accumulators
	fold   string  // folds the accumulator with this instruction; else all 16 are stored
	body   func(g *gen)

	// AVX-512 alone, for loops that are one long chain of dependent operations: abreast blocks of
	// 16 elements go through body together, operation by operation, because the scheduler of Zen 4
	// holds less than two such chains; temps is how many temporaries one takes. Constants then stay
	// in Z16-Z31. 0: one block at a time.
	abreast, temps int
}

var loops = []loop{
	{"max", "sums[0] = max x[i]", "x", "", 4, float32(math.Inf(-1)), "VMAXPS", func(g *gen) {
		g.load("x", 0)
		g.op("VMAXPS", g.acc(g.block), g.r(0), g.acc(g.block)) // NaN in x: keep the accumulator
	}, 4, 1},
	{"sum", "sums[l] += x[i]", "x", "", 1, 0, "", func(g *gen) {
		g.op("VADDPS", g.mem("x"), g.acc(0), g.acc(0))
	}, 0, 0},
	{"squares", "sums[l] += (x[i]-m)^2", "x", "m", 1, 0, "", func(g *gen) {
		g.load("x", 0)
		g.op("VSUBPS", g.f("m"), g.r(0), g.r(0))
		g.op("VMULPS", g.r(0), g.r(0), g.r(0))
		g.op("VADDPS", g.r(0), g.acc(0), g.acc(0))
	}, 0, 0},
	{"dot", "sums[l] += x[i] y[i]", "x y", "", 1, 0, "", func(g *gen) {
		g.load("x", 0)
		g.op("VMULPS", g.mem("y"), g.r(0), g.r(0))
		g.op("VADDPS", g.r(0), g.acc(0), g.acc(0))
	}, 0, 0},
	{"exp", "y[i] = exp(a x[i] - m); sums[l] += y[i]", "y x", "a m", 1, 0, "", func(g *gen) {
		g.load("x", 0)
		g.op("VMULPS", g.f("a"), g.r(0), g.r(0))
		g.op("VSUBPS", g.f("m"), g.r(0), g.r(0))
		g.exp(0, 1, 2, 3)
		g.store(0, "y")
		g.op("VADDPS", g.r(0), g.acc(0), g.acc(0))
	}, 4, 3},
	{"scale", "x[i] *= a", "x", "a", 0, 0, "", func(g *gen) {
		g.op("VMULPS", g.mem("x"), g.f("a"), g.r(0))
		g.store(0, "x")
	}, 0, 0},
	{"add", "y[i] = a[i] + b[i]", "y a b", "", 0, 0, "", func(g *gen) {
		g.load("a", 0)
		g.op("VADDPS", g.mem("b"), g.r(0), g.r(0))
		g.store(0, "y")
	}, 0, 0},
	{"scoreGrad", "d[i] = p[i] (d[i]-delta) a", "d p", "delta a", 0, 0, "", func(g *gen) {
		g.load("d", 0)
		g.op("VSUBPS", g.f("delta"), g.r(0), g.r(0))
		g.op("VMULPS", g.f("a"), g.r(0), g.r(0))
		g.op("VMULPS", g.mem("p"), g.r(0), g.r(0))
		g.store(0, "d")
	}, 0, 0},
	{"norm", "y[i] = (x[i]-m) s w[i]", "y x w", "m s", 0, 0, "", func(g *gen) {
		g.normed(0)
		g.op("VMULPS", g.mem("w"), g.r(0), g.r(0))
		g.store(0, "y")
	}, 0, 0},
	{"normBias", "y[i] = (x[i]-m) s w[i] + b[i]", "y x w b", "m s", 0, 0, "", func(g *gen) {
		g.normed(0)
		g.op("VMULPS", g.mem("w"), g.r(0), g.r(0))
		g.op("VADDPS", g.mem("b"), g.r(0), g.r(0))
		g.store(0, "y")
	}, 0, 0},
	{"normSums", "n = (x[i]-m) s; sw[i] += dy[i] n; sb[i] += dy[i]; sums[l] += dy[i] w[i]; sums[16+l] += dy[i] w[i] n", "sw sb dy x w", "m s", 2, 0, "", func(g *gen) {
		g.normed(0)
		g.load("dy", 1)
		g.op("VMULPS", g.r(0), g.r(1), g.r(2))
		g.op("VADDPS", g.mem("sw"), g.r(2), g.r(2))
		g.store(2, "sw")
		g.op("VADDPS", g.mem("sb"), g.r(1), g.r(2))
		g.store(2, "sb")
		g.op("VMULPS", g.mem("w"), g.r(1), g.r(1))
		g.op("VADDPS", g.r(1), g.acc(0), g.acc(0))
		g.op("VMULPS", g.r(0), g.r(1), g.r(1))
		g.op("VADDPS", g.r(1), g.acc(1), g.acc(1))
	}, 0, 0},
	{"normGrad", "n = (x[i]-m) s; dx[i] = (dy[i] w[i] - gw - n gwn) s", "dx dy x w", "m s gw gwn", 0, 0, "", func(g *gen) {
		g.normGrad()
		g.store(1, "dx")
	}, 0, 0},
	{"normGradCarry", "n = (x[i]-m) s; dx[i] = (dy[i] w[i] - gw - n gwn) s + carry[i]", "dx dy x w carry", "m s gw gwn", 0, 0, "", func(g *gen) {
		g.normGrad()
		g.op("VADDPS", g.mem("carry"), g.r(1), g.r(1))
		g.store(1, "dx")
	}, 0, 0},
	{"gelu", "see geluRow", "y x", "", 0, 0, "", func(g *gen) {
		g.load("x", 0)
		g.op("VMULPS", g.r(0), g.r(0), g.r(1))
		g.op("VFMADD213PS", g.c(1), g.constant(2, geluB), g.r(1))
		g.op("VMULPS", g.c(-geluA), g.r(0), g.r(2))
		g.op("VMULPS", g.r(1), g.r(2), g.r(1)) // -u
		g.exp(1, 2, 3, 4)
		g.op("VADDPS", g.c(1), g.r(1), g.r(1))
		g.op("VDIVPS", g.r(1), g.r(0), g.r(0))
		g.store(0, "y")
	}, 4, 4},
	{"geluBackward", "see geluBackwardRow", "dx dy x", "", 0, 0, "", func(g *gen) {
		g.load("x", 0)
		g.op("VMULPS", g.r(0), g.r(0), g.r(4))
		g.op("VMULPS", g.c(geluB), g.r(4), g.r(4)) // b
		g.op("VADDPS", g.c(1), g.r(4), g.r(1))
		g.op("VMULPS", g.c(-geluA), g.r(0), g.r(2))
		g.op("VMULPS", g.r(1), g.r(2), g.r(1))                          // -u
		g.sigmoidOfNegated(1, 2, 3, 5)                                  // s
		g.op("VFMADD213PS", g.c(geluA), g.constant(2, 3*geluA), g.r(4)) // du
		g.op("VSUBPS", g.r(1), g.constant(2, 1), g.r(2))
		g.op("VMULPS", g.r(1), g.r(2), g.r(2))
		g.op("VMULPS", g.r(0), g.r(2), g.r(2))
		g.op("VFMADD213PS", g.r(1), g.r(4), g.r(2))
		g.op("VMULPS", g.mem("dy"), g.r(2), g.r(2))
		g.store(2, "dx")
	}, 3, 5},
	{"swiglu", "see swigluRow", "y value gate", "", 0, 0, "", func(g *gen) {
		g.load("gate", 0)
		g.copy(0, 1)
		g.negate(1)
		g.exp(1, 2, 3, 4)
		g.op("VADDPS", g.c(1), g.r(1), g.r(1))
		g.op("VDIVPS", g.r(1), g.r(0), g.r(0))
		g.op("VMULPS", g.mem("value"), g.r(0), g.r(0))
		g.store(0, "y")
	}, 4, 4},
	{"swigluBackward", "see swigluBackwardRow", "dvalue dgate dy value gate", "", 0, 0, "", func(g *gen) {
		g.load("gate", 0)
		g.copy(0, 1)
		g.negate(1)
		g.sigmoidOfNegated(1, 2, 3, 4) // s
		g.load("dy", 4)
		g.load("value", 5)
		g.op("VMULPS", g.r(1), g.r(0), g.r(2))
		g.op("VMULPS", g.r(4), g.r(2), g.r(2))
		g.store(2, "dvalue")
		g.op("VSUBPS", g.r(1), g.constant(3, 1), g.r(3))
		g.op("VMULPS", g.r(0), g.r(3), g.r(3))
		g.op("VADDPS", g.c(1), g.r(3), g.r(3))
		g.op("VMULPS", g.r(1), g.r(3), g.r(3))
		g.op("VMULPS", g.r(5), g.r(3), g.r(3))
		g.op("VMULPS", g.r(4), g.r(3), g.r(3))
		g.store(3, "dgate")
	}, 2, 6},
	{"adam", "see adamRow", "w grad m v", "gradScale keep beta1 new1 beta2 new2 step root eps", 0, 0, "", func(g *gen) {
		g.op("VMULPS", g.mem("grad"), g.f("gradScale"), g.r(0)) // d
		g.op("VMULPS", g.mem("m"), g.f("beta1"), g.r(1))
		g.op("VMULPS", g.f("new1"), g.r(0), g.r(2))
		g.op("VADDPS", g.r(2), g.r(1), g.r(1))
		g.flush(1, 2) // m
		g.store(1, "m")
		g.op("VMULPS", g.mem("v"), g.f("beta2"), g.r(2))
		g.op("VMULPS", g.r(0), g.r(0), g.r(3))
		g.op("VMULPS", g.f("new2"), g.r(3), g.r(3))
		g.op("VADDPS", g.r(3), g.r(2), g.r(2))
		g.flush(2, 3) // v
		g.store(2, "v")
		g.op("VSQRTPS", g.r(2), g.r(2))
		g.op("VMULPS", g.f("root"), g.r(2), g.r(2))
		g.op("VADDPS", g.f("eps"), g.r(2), g.r(2))
		g.op("VMULPS", g.f("step"), g.r(1), g.r(1))
		g.op("VDIVPS", g.r(2), g.r(1), g.r(1))
		g.op("VMULPS", g.mem("w"), g.f("keep"), g.r(0))
		g.op("VSUBPS", g.r(1), g.r(0), g.r(0))
		g.store(0, "w")
		g.op("VXORPS", g.r(3), g.r(3), g.r(3))
		g.store(3, "grad")
	}, 0, 0},
}

var negativeInfinity = math.Float32bits(float32(math.Inf(-1)))

// The constants of expf.go and elementwise.go; a test compares the results.
const (
	expLow, expHigh = -104, 89
	log2e           = 1.44269504088896341
	ln2Hi           = 0.693359375
	ln2Lo           = -2.12194440e-4
	expRound        = 12582912
	minNormal       = 0x1p-126
	geluA           = 2 * 0.79788456080286536
	geluB           = 0.044715
)

var expC = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

func (g *gen) normed(x int) {
	g.load("x", x)
	g.op("VSUBPS", g.f("m"), g.r(x), g.r(x))
	g.op("VMULPS", g.f("s"), g.r(x), g.r(x))
}

func (g *gen) normGrad() {
	g.normed(0)
	g.load("dy", 1)
	g.op("VMULPS", g.mem("w"), g.r(1), g.r(1))
	g.op("VSUBPS", g.f("gw"), g.r(1), g.r(1))
	g.op("VMULPS", g.f("gwn"), g.r(0), g.r(0))
	g.op("VSUBPS", g.r(0), g.r(1), g.r(1))
	g.op("VMULPS", g.f("s"), g.r(1), g.r(1))
}

// exp is expf on register x, with temporaries t, n and, on AVX2, q.
func (g *gen) exp(x, t, n, q int) {
	X, T, N, Q := g.r(x), g.r(t), g.r(n), g.r(q)
	if g.wide {
		Q = T // which is not needed after N
	}
	g.op("VMAXPS", X, g.constant(t, expLow), X) // NaN in X stays
	g.op("VMINPS", X, g.constant(t, expHigh), X)
	g.set(t, expRound)
	g.op("VFMADD231PS", g.c(log2e), X, T)
	g.op("VSUBPS", g.c(expRound), T, N)
	g.op("VFMADD231PS", g.c(-ln2Hi), N, X)
	g.op("VFMADD231PS", g.inMemory(math.Float32bits(-ln2Lo)), N, X) // attention's loops have one register too few
	if g.wide {
		g.set(t, expC[0])
	} else {
		g.set(q, expC[0])
	}
	for _, c := range expC[1:] {
		g.op("VFMADD213PS", g.c(c), X, Q)
	}
	g.op("VFMADD213PS", g.c(1), X, Q)
	g.op("VFMADD213PS", g.c(1), Q, X)
	if g.wide {
		g.op("VSCALEFPS", N, X, X) // X 2^N, rounded once, as the two factors are
		return
	}
	g.op("VPSUBD", g.bits(expRound), T, T)
	g.op("VPSRAD", "$1", T, N)
	g.op("VPSUBD", N, T, T)
	g.op("VPADDD", g.integer(127), N, N)
	g.op("VPSLLD", "$23", N, N)
	g.op("VMULPS", N, X, X)
	g.op("VPADDD", g.integer(127), T, T)
	g.op("VPSLLD", "$23", T, T)
	g.op("VMULPS", T, X, X)
}

// sigmoidOfNegated sets x = 1/(exp(x)+1).
func (g *gen) sigmoidOfNegated(x, t, n, q int) {
	g.exp(x, t, n, q)
	g.op("VADDPS", g.c(1), g.r(x), g.r(x))
	g.op("VDIVPS", g.r(x), g.constant(t, 1), g.r(x))
}

// folded folds the accumulators, of which any order gives the same, to the lowest element of the
// first and stores that.
func (g *gen) folded(halves int) {
	for i := 1; i < g.accs; i++ {
		for g.half = range halves {
			g.op(g.loop.fold, g.acc(i), g.acc(0), g.acc(0))
		}
	}
	g.half = 0
	at := g.acc(0)[1:]
	x, y := "X"+at, "Y"+at
	if g.wide {
		g.op("VEXTRACTF64X4", "$1", g.acc(0), "Y0")
	} else {
		g.half = 1
		g.op("VMOVAPS", g.acc(0), "Y0")
	}
	g.op(g.loop.fold, "Y0", y, y)
	g.op("VEXTRACTF128", "$1", y, "X0")
	g.op(g.loop.fold, "X0", x, x)
	g.op("VPERMILPS", "$0x4e", x, "X0")
	g.op(g.loop.fold, "X0", x, x)
	g.op("VPERMILPS", "$0xb1", x, "X0")
	g.op(g.loop.fold, "X0", x, x)
	g.op("VMOVSS", x, "(AX)")
}

// flush is flushed on register x, with a temporary.
func (g *gen) flush(x, t int) {
	const notLess = "$5" // also where x is NaN
	g.op("VANDPS", g.integer(1<<31-1), g.r(x), g.r(t))
	if g.wide {
		g.op("VCMPPS", notLess, g.bits(minNormal), g.r(t), "K1")
		g.op("VMOVAPS.Z", g.r(x), "K1", g.r(x))
		return
	}
	g.op("VCMPPS", notLess, g.bits(minNormal), g.r(t), g.r(t))
	g.op("VANDPS", g.r(t), g.r(x), g.r(x))
}

func (g *gen) negate(x int) { g.op("VXORPS", g.integer(1<<31), g.r(x), g.r(x)) }

// gen emits one loop for one instruction set.
type gen struct {
	bytes.Buffer
	*loop
	wide   bool
	half   int // of the 16 elements, on AVX2
	block  int // of those abreast
	consts *[]uint32
	held   []uint32 // constants in registers, from Z31 down
}

var pointerRegs = []string{"DI", "SI", "DX", "BX", "R8"}

func (g *gen) reg(i int) string {
	if g.wide {
		return fmt.Sprintf("Z%d", i)
	}
	return fmt.Sprintf("Y%d", i)
}

// Registers: temporaries from 0 up, scalars from 15 down, accumulators below them.
func (g *gen) r(i int) string { return g.reg(g.block*g.temps + i) }

func (g *gen) f(name string) string { return g.reg(15 - index(g.floats, name)) }

func (g *gen) acc(i int) string {
	at := 15 - len(strings.Fields(g.floats))
	if g.wide {
		return g.reg(at - i)
	}
	return g.reg(at - 2*i - g.half)
}

func (g *gen) mem(name string) string {
	return fmt.Sprintf("%d(%s)(CX*4)", 32*g.half+64*g.block, pointerRegs[index(g.ptrs, name)])
}

func (g *gen) bits(c float32) string { return g.integer(math.Float32bits(c)) }

func (g *gen) c(c float32) string { return g.bits(c) }

// integer is a constant, 16 times in memory or in a register.
func (g *gen) integer(u uint32) string {
	if g.wide && g.abreast > 0 {
		at := slices.Index(g.held, u)
		if at < 0 {
			at, g.held = len(g.held), append(g.held, u)
		}
		return g.reg(31 - at)
	}
	return g.inMemory(u)
}

func (g *gen) inMemory(u uint32) string {
	for i, v := range *g.consts {
		if v == u {
			return fmt.Sprintf("rowConst<>+%d(SB)", 64*i)
		}
	}
	*g.consts = append(*g.consts, u)
	return g.inMemory(u)
}

// constant is c in a register: its own, or else temporary r.
func (g *gen) constant(r int, c float32) string {
	if g.wide && g.abreast > 0 {
		return g.c(c)
	}
	g.set(r, c)
	return g.r(r)
}

func (g *gen) op(name string, operands ...string) {
	fmt.Fprintf(g, "\t%s %s\n", name, strings.Join(operands, ", "))
}
func (g *gen) load(name string, r int)  { g.op("VMOVUPS", g.mem(name), g.r(r)) }
func (g *gen) store(r int, name string) { g.op("VMOVUPS", g.r(r), g.mem(name)) }
func (g *gen) set(r int, c float32)     { g.op("VMOVUPS", g.c(c), g.r(r)) }
func (g *gen) copy(from, to int)        { g.op("VMOVAPS", g.r(from), g.r(to)) }

func index(list, name string) int {
	for i, s := range strings.Fields(list) {
		if s == name {
			return i
		}
	}
	panic("no argument " + name)
}

func (l *loop) signature(isa string) string {
	var args []string
	if l.ptrs != "" {
		args = append(args, strings.Join(strings.Fields(l.ptrs), ", ")+" *float32")
	}
	args = append(args, "n int")
	if l.accs > 0 {
		args = append(args, "sums *float32")
	}
	if l.floats != "" {
		args = append(args, strings.Join(strings.Fields(l.floats), ", ")+" float32")
	}
	return fmt.Sprintf("func %s%s(%s)", l.name, isa, strings.Join(args, ", "))
}

func (l *loop) emit(isa string, consts *[]uint32) string {
	g := &gen{loop: l, wide: isa == "AVX512", consts: consts}
	halves := 2
	if g.wide {
		halves = 1
	}
	ptrs, floats := strings.Fields(l.ptrs), strings.Fields(l.floats)
	size := 8 * (len(ptrs) + 1)
	if l.accs > 0 {
		size += 8
	}
	at := size
	size += 4 * len(floats)
	fmt.Fprintf(g, "\n// %s\n// %s\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n", l.signature(isa), l.doc, l.name, isa, size)
	for i, p := range ptrs {
		fmt.Fprintf(g, "\tMOVQ %s+%d(FP), %s\n", p, 8*i, pointerRegs[i])
	}
	fmt.Fprintf(g, "\tMOVQ n+%d(FP), AX\n", 8*len(ptrs))
	for i, f := range floats {
		fmt.Fprintf(g, "\tVBROADCASTSS %s+%d(FP), %s\n", f, at+4*i, g.f(f))
	}
	for i := range l.accs {
		for g.half = range halves {
			g.op("VMOVUPS", g.inMemory(math.Float32bits(l.start)), g.acc(i))
		}
	}
	if g.wide && l.abreast > 0 {
		g.loopAbreast()
	} else {
		fmt.Fprintf(g, "\tXORL CX, CX\n")
		g.simpleLoop(halves)
	}
	if l.accs > 0 {
		fmt.Fprintf(g, "\tMOVQ sums+%d(FP), AX\n", 8*(len(ptrs)+1))
	}
	if l.fold != "" {
		g.folded(halves)
	} else {
		for i := range l.accs {
			for g.half = range halves {
				g.op("VMOVUPS", g.acc(i), fmt.Sprintf("%d(AX)", 64*i+32*g.half))
			}
		}
	}
	fmt.Fprintf(g, "\tVZEROUPPER\n\tRET\n")
	return g.String()
}

// simpleLoop runs body from element CX on.
func (g *gen) simpleLoop(halves int) {
	fmt.Fprintf(g, "\tPCALIGN $32\nloop:\n")
	for g.half = range halves {
		g.body(g)
	}
	fmt.Fprintf(g, "\tADDQ $16, CX\n\tCMPQ CX, AX\n\tJLT loop\n")
}

// loopAbreast runs body on abreast blocks at a time and then on what is left one by one.
func (g *gen) loopAbreast() {
	before := g.String()
	g.Reset()
	g.interleave(func() { g.body(g) })
	body := g.String()
	g.Reset()
	g.WriteString(before)
	for i, u := range g.held {
		g.op("VMOVUPS", g.inMemory(u), g.reg(31-i))
	}
	size := 16 * g.abreast
	fmt.Fprintf(g, "\tXORL CX, CX\n\tCMPQ AX, $%d\n\tJLT loop\n\tLEAQ %d(AX), R9\n\tPCALIGN $32\nabreast:\n", size, 1-size)
	g.WriteString(body)
	fmt.Fprintf(g, "\tADDQ $%d, CX\n\tCMPQ CX, R9\n\tJLT abreast\n\tCMPQ CX, AX\n\tJGE done\n", size)
	g.simpleLoop(1)
	fmt.Fprintf(g, "done:\n")
}

// interleave emits what f does for each of the blocks abreast, the first operation of each, then
// the second, and so on.
func (g *gen) interleave(f func()) {
	before := g.String()
	var blocks [][]string
	for g.block = range g.abreast {
		g.Reset()
		f()
		blocks = append(blocks, strings.SplitAfter(g.String(), "\n"))
	}
	g.block = 0
	g.Reset()
	g.WriteString(before)
	for i := range blocks[0] {
		for _, b := range blocks {
			g.WriteString(b[i])
		}
	}
}

// wrappers are the callers of the loops, with ISA in place of AVX512 or AVX2.
//
//go:embed rows_amd64.go.tmpl
var wrappers []byte

func main() {
	var consts []uint32
	var text, decl, list strings.Builder
	for _, isa := range []string{"AVX512", "AVX2"} {
		for i := range loops {
			text.WriteString(loops[i].emit(isa, &consts))
			fmt.Fprintf(&decl, "\n//go:noescape\n%s\n", loops[i].signature(isa))
		}
		list.WriteString(strings.ReplaceAll(string(wrappers), "ISA", isa))
	}
	text.WriteString(attention(&consts))
	text.WriteString(attentionAVX2(&consts))
	var data strings.Builder
	for i, u := range consts {
		for j := range 8 {
			fmt.Fprintf(&data, "DATA rowConst<>+%d(SB)/8, $0x%08x%08x\n", 64*i+8*j, u, u)
		}
	}
	fmt.Fprintf(&data, "GLOBL rowConst<>(SB), RODATA|NOPTR, $%d\n", 64*len(consts))
	const head = "// Code generated by generate/rows. DO NOT EDIT.\n\n"
	write("rows_amd64.s", []byte(head+"#include \"textflag.h\"\n\n"+data.String()+text.String()))
	source, err := format.Source([]byte(head + "package kernel\n" + decl.String() + list.String()))
	if err != nil {
		log.Fatal(err)
	}
	write("rows_amd64.go", source)
}

func write(name string, b []byte) {
	if err := os.WriteFile(name, b, 0o644); err != nil {
		log.Fatal(err)
	}
}
