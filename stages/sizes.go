package stages

import "ablate/cache/table"

// Sizes reads a sizes.parquet.
func Sizes(path string) ([]SizeRow, error) { return table.ReadRows[SizeRow](path) }
