// Package parquet reads the Parquet files that others wrote, row by row: the values of some
// columns, in words. Our own tables are the package table's, which reads them with Arrow.
//
// It reads pages of version 1 and 2; every encoding that writers use (PLAIN, dictionaries, RLE, the
// three DELTA encodings, BYTE_STREAM_SPLIT); the codecs UNCOMPRESSED, SNAPPY, GZIP, BROTLI, ZSTD,
// LZ4_RAW and Hadoop's LZ4; structs and lists in all the ways in which they were written. The
// checksum of a page is checked where there is one. Encrypted files are refused.
//
// Values in words: text as it is; whole numbers in decimal; numbers with a fraction in decimal with
// as many digits as tell them from their neighbours; decimals with all digits of their scale
// (3.50); truth values true and false; a date as 2000-03-01, a time as 12:00:00.25, a timestamp as
// 2000-03-01T12:00:00.25 with a Z behind it where it is an instant; a UUID in its usual form; bytes
// of a fixed length in base64. Bytes of any length count as text, as Parquet has no other sign of
// it in many files. INTERVAL, BSON, VARIANT, GEOMETRY and types that are newer than this package
// are refused by name before a row is read, and so are structs and maps: a path must lead to one of
// their fields. Keys of maps are no paths.
//
// Memory is a page and a dictionary of each wanted column. What a file states of its sizes is
// believed only as far as its bytes reach, so that a damaged or hostile file is an error or other
// values, and never a panic, an endless loop or memory that the file does not account for.
//
// Why not a library: the files of testdata/write.py, and the same with each byte changed in turn,
// were given to those there are. Arrow's for Go (v17, v18.8) reads footers and pages on trust,
// panics on some damage and checks no checksum, so that it needs our check of the footer, of each
// page's header and of its levels around it; parquet-go v0.32 cannot read LZ4_RAW of DuckDB and
// Polars nor pages of fastparquet, prints warnings, takes gigabytes for one changed byte of a file
// of 13 KB, and ends the process on damaged LZ4. What a reader needs beyond such checks is the
// encodings, some 450 lines. Compression is from libraries.
package parquet
