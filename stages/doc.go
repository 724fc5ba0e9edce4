// Package stages lists the kinds of step (Kinds), each a package of its own. A kind sees its
// parameters, its opened inputs and an empty folder, and nothing of the plan:
//
//	kind        inputs                                   outputs
//	tokenizer   file.N                                   tokenizer.json
//	tokenize    tokenizer, file.N; index.N of arrays     tokens.arrow, documents.parquet, paragraphs.parquet, places.parquet,
//	                                                     counts.json, missing.json
//	split       tokens.N, documents.N, paragraphs.N,     units/<partition>/<i>.arrow, test/<partition>.arrow,
//	            missing.N of each shard; places.N if a   validation/<partition>.arrow, ledger.parquet, sizes.parquet,
//	            duplicate is an error; against.N,        timeline.parquet, duplicates.parquet, filter.json,
//	            heldout.N: paragraph tables of           catalogue.json
//	            evaluation sets and other corpora
//	train       unit.N; start, moments                   model.safetensors, optimizer.safetensors, curve.parquet, shares.parquet
//	merge       model.N                                  model.safetensors
//	eval        model.N, tokens                          losses.parquet
//	ensemble    losses.N                                 losses.parquet
//	correlate   losses.N                                 scores.parquet, scores.csv, correlations.parquet, correlations.csv,
//	                                                     decisions.parquet, decisions.csv, warnings.parquet, warnings.csv,
//	                                                     figures/<group>-<set>.svg
//
// Names of outputs are built by package kind (UnitOutput and so on), which escapes partitions. The
// columns of every table are the row types of package tables, and tables/TABLES.md. CHECKPOINTS.md
// has the tensors of a model, BATCHES.md the order in which training reads tokens.
//
// Promises: outputs are a function of parameters and inputs, bit for bit, for any number of
// threads; nothing in them tells time, host, path or role of the run. A stage keeps nothing between
// jobs. When its context ends it returns the context's error; train saves a checkpoint under
// Partial first, and a later attempt that finds it gives the bits of an uninterrupted one.
//
// Not promised: that bits are the same under another version of the Arrow or zstd library, or where
// package lm/cpu says that a model's are not; that metadata, document and paragraph tables of a
// shard larger than memory can be handled (tokens can: they are mapped).
package stages
