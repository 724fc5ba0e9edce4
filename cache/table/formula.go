package table

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A spreadsheet takes a cell that begins with one of these signs for a formula and runs it, in some
// languages with the wide forms, too (OWASP, "CSV Injection"). Names in our tables come from data.
const formulaSigns = "=+-@\t\r＝＋－＠"

// CSVText is a text as a cell of comma-separated values: one that a spreadsheet would take for a
// formula has an apostrophe before it, and so has one that would read as such a cell, so that
// ParseCSVText gives every text back.
func CSVText(text string) string {
	if isFormula(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// ParseCSVText is the text that a cell stands for.
func ParseCSVText(cell string) string {
	if rest, quoted := strings.CutPrefix(cell, "'"); quoted && isFormula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

// isFormula reports whether a spreadsheet would run a cell. A number with its sign is none.
func isFormula(text string) bool {
	sign, _ := utf8.DecodeRuneInString(text)
	if text == "" || !strings.ContainsRune(formulaSigns, sign) {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err != nil
}
