package ident

import (
	"math/big"
	"strings"
)

// Share writes a share exactly: as a decimal where it has one of at most 18 digits (0.7), else as a
// fraction (1/3).
func Share(share *big.Rat) string {
	const most = 18
	if digits, exact := share.FloatPrec(); exact && digits <= most {
		return share.FloatString(digits)
	}
	return share.RatString()
}

// Shares is the name of a mixture by the shares of its components: crypto=0.7+net=0.3.
func Shares(components []string, shares []*big.Rat) string {
	parts := make([]string, len(components))
	for i, name := range components {
		parts[i] = name + "=" + Share(shares[i])
	}
	return strings.Join(parts, "+")
}

// ParseShare takes the part of a mixture's name that a component with its share is apart. A
// component of a mixture without shares may look like one, so that only who knows that the mixture
// has shares may ask.
func ParseShare(part string) (component string, share *big.Rat, ok bool) {
	at := strings.LastIndexByte(part, '=')
	if at < 0 {
		return "", nil, false
	}
	share, ok = new(big.Rat).SetString(part[at+1:])
	return part[:at], share, ok && Share(share) == part[at+1:]
}
