package tables

import "ablate/cache/table"

// CSVText is a text as a cell of comma-separated values: see package table.
func CSVText(text string) string { return table.CSVText(text) }

// ParseCSVText is the text that a cell stands for.
func ParseCSVText(cell string) string { return table.ParseCSVText(cell) }
