package eval

// A window is one forward pass over part of a document. The document is thought of with EOS in
// front, s = [EOS, t0, t1, ...]: the input is s[Start : Start+Len], the token that follows s[i] is
// its target, and of the Len targets the last Scored count.
type window struct{ Start, Len, Scored int }

// windows divides a document of n tokens into inputs of at most length tokens so that every token
// is scored exactly once, as the paper's code does (EleutherAI's rolling loglikelihood with one
// token of context): the first window scores min(n, length) tokens, the first of them conditioned
// on EOS; each full one after it sees one token of context; the last one, which scores what
// remains, is filled to the full length with context from its left. n = 3000, length = 2048: the
// second window scores 952 tokens after 2048+1-952 = 1097 of context.
func windows(n, length int) []window {
	var all []window
	for scored := 0; scored < n; {
		score := min(n-scored, length)
		size := min(n, length)
		all = append(all, window{Start: scored + score - size, Len: size, Scored: score})
		scored += score
	}
	return all
}
