package bpe

// The byte-level alphabet of GPT-2: tokenizer.json spells each byte as one printable character.
// Bytes that are printable in Latin-1 stand for themselves, the other 68 for U+0100, U+0101, ... in
// byte order.
var (
	byteChar [256]rune
	charByte = map[rune]byte{}
)

func init() {
	next := rune(256)
	for b := range rune(256) {
		c := b
		if printable := '!' <= b && b <= '~' || '¡' <= b && b <= '¬' || '®' <= b && b <= 'ÿ'; !printable {
			c = next
			next++
		}
		byteChar[b] = c
		charByte[c] = byte(b)
	}
}

// unspell reads bytes written in the alphabet; false where a character is not of the alphabet.
func unspell(content string) (string, bool) {
	out := make([]byte, 0, len(content))
	for _, c := range content {
		b, ok := charByte[c]
		if !ok {
			return "", false
		}
		out = append(out, b)
	}
	return string(out), true
}
