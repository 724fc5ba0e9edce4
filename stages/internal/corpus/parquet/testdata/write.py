"""write.py FOLDER [small]: writes Parquet files of several writers into FOLDER, and beside each NAME.parquet a NAME.json of what it holds:

    {"writer": ..., "rows": N, "columns": [{"path": [...], "string": true, "values": [null, "...", ...]}]}

`path` leads to a value as the reader's paths do ([n] for an element of a list), `values` has each row's in words, as the package parquet documents
them, made from the values that the writer was given and not from what any reader says of the file. With `small`, files have few rows, and only those
are written that the project keeps as golden files.

It needs pyarrow. polars, duckdb and fastparquet are used where they are installed."""
import datetime, decimal, json, os, random, sys, uuid

import pyarrow as pa
import pyarrow.parquet as pq

decimal.getcontext().prec = 80
folder, small = sys.argv[1], "small" in sys.argv[2:]
os.makedirs(folder, exist_ok=True)
N = 36 if small else 3000
kept = {"pages-v1", "pages-v2", "delta", "grown", "required", "types", "times", "decimals", "nested", "lz4-raw", "brotli", "int96", "split", "polars", "duckdb", "fastparquet", "checksums", "groups", "nothing"}
UTC = datetime.timezone.utc


def words(i, n=40):
    r = random.Random(i)
    return " ".join(r.choice("mar tol bri sen kad zor quil dap nev ost vul pon gri é 水".split()) + r.choice("a on ix er um".split()) for _ in range(r.randint(1, n)))


def wanted(name):
    return not small or name in kept


def text(v):
    """A value in words."""
    if v is None:
        return None
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, datetime.datetime):
        s = v.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z" if v.tzinfo else v.isoformat()
        whole, point, rest = s.partition(".")
        return s if not point else whole + ("." + rest.rstrip("Z").rstrip("0")).rstrip(".") + ("Z" if rest.endswith("Z") else "")
    if isinstance(v, datetime.time):
        return v.isoformat().rstrip("0").rstrip(".") if "." in v.isoformat() else v.isoformat()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, float):
        s = repr(v)
        return s[:-2] if s.endswith(".0") else s
    return str(v)


def expect(name, writer, columns, rows):
    """columns: path -> values; of a path the parts are tuples, of a single name a string."""
    out = []
    for path, values in columns.items():
        path = [path] if isinstance(path, str) else list(path)
        some = next((v for v in values if v is not None), None)
        out.append({"path": path, "string": isinstance(some, (str, bytes)), "values": [text(v) for v in values]})
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump({"writer": writer, "rows": rows, "columns": out}, f, ensure_ascii=False, separators=(",", ":"))


def write(name, table, columns, **options):
    if not wanted(name):
        return
    pq.write_table(table, os.path.join(folder, name + ".parquet"), **options)
    expect(name, "pyarrow " + pa.__version__, columns, len(table))


texts = [words(i) for i in range(N)]
ids = [f"doc-{i:05d}" for i in range(N)]
parts = [["alpha", "beta", None, "gamma"][i % 4] for i in range(N)]
years = [None if i % 7 == 3 else 1990 + i % 20 for i in range(N)]
scores = [i / 4 for i in range(N)]
plain = {"id": ids, "part": parts, "year": years, "score": scores, "text": texts}
table = pa.table({"id": ids, "part": parts, "year": pa.array(years, pa.int32()), "score": scores, "text": texts})
PAGE = 300 if small else 2000

write("default", table, plain)
write("pages-v1", table, plain, data_page_size=PAGE, use_dictionary=False, write_batch_size=8)
write("pages-v2", table, plain, data_page_size=PAGE, data_page_version="2.0", write_batch_size=8, compression="zstd")
write("grown", table, plain, dictionary_pagesize_limit=200 if small else 4000, data_page_size=PAGE, write_batch_size=8)
write("checksums", table, plain, write_page_checksum=True, data_page_size=PAGE, write_batch_size=8)
write("checksums-v2", table, plain, write_page_checksum=True, data_page_version="2.0", compression="zstd", data_page_size=PAGE, write_batch_size=8)
write("page-index", table, plain, write_page_index=True, store_schema=False, data_page_size=PAGE, write_batch_size=8, write_statistics=True, sorting_columns=[pq.SortingColumn(0)])
write("large-pages", table, plain, data_page_size=1 << 30, use_dictionary=False, compression="zstd")
write("groups", pa.concat_tables([table]), plain, row_group_size=max(15, N // 40), write_statistics=True)
for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    for version in ["1.0", "2.0"]:
        name = "lz4-raw" if codec == "lz4" and version == "1.0" else codec if version == "1.0" else codec + "-v2"
        write(name, table, plain, compression=codec, data_page_version=version, data_page_size=PAGE, write_batch_size=16)
none = table.slice(0, 0)
write("nothing", none, {k: [] for k in plain})
if wanted("required"):
    schema = pa.schema([pa.field("id", pa.string(), False), pa.field("score", pa.float64(), False), pa.field("text", pa.string(), False)])
    write("required", pa.table({"id": ids, "score": scores, "text": texts}, schema), {"id": ids, "score": scores, "text": texts}, data_page_size=PAGE, write_batch_size=8)
if wanted("empty-groups"):
    with pq.ParquetWriter(os.path.join(folder, "empty-groups.parquet"), table.schema) as w:
        for at in range(0, N, N // 5):
            w.write_table(none)
            w.write_table(table.slice(at, N // 5))
        w.write_table(none)
    expect("empty-groups", "pyarrow", plain, N)
numbers = [i * i * 7 - 900 for i in range(N)]
big = [(-1) ** i * (i ** 5 * 37) for i in range(N)]
deltas = pa.table({"a": texts, "b": ids, "n": pa.array(numbers, pa.int32()), "big": big, "y": pa.array(years, pa.int64())})
for name, version in [("delta", "1.0"), ("delta-v2", "2.0")]:
    write(name, deltas, {"a": texts, "b": ids, "n": numbers, "big": big, "y": years}, use_dictionary=False, data_page_version=version, data_page_size=PAGE * 4, write_batch_size=16,
          column_encoding={"a": "DELTA_LENGTH_BYTE_ARRAY", "b": "DELTA_BYTE_ARRAY", "n": "DELTA_BINARY_PACKED", "big": "DELTA_BINARY_PACKED", "y": "DELTA_BINARY_PACKED"})
split = pa.table({"f": pa.array(scores, pa.float32()), "d": scores, "n": pa.array(numbers, pa.int32()), "big": big, "x": pa.array([i.encode() for i in ids], pa.binary(9))})
import base64
write("split", split, {"f": scores, "d": scores, "n": numbers, "big": big}, use_dictionary=False, data_page_size=PAGE,
      column_encoding={"f": "BYTE_STREAM_SPLIT", "d": "BYTE_STREAM_SPLIT", "n": "BYTE_STREAM_SPLIT", "big": "BYTE_STREAM_SPLIT", "x": "BYTE_STREAM_SPLIT"})

bools = [None if i % 5 == 2 else i % 3 == 0 for i in range(N)]
wide = [(i * 0x9E3779B97F4A7C15 + (1 << 63)) % (1 << 64) for i in range(N)]
halves = [i % 64 / 8 for i in range(N)]
uuids = [uuid.UUID(int=random.Random(i).getrandbits(128)) for i in range(N)]
columns = {"bool": (bools, pa.bool_()), "i8": ([i % 256 - 128 for i in range(N)], pa.int8()), "i16": ([i * 21 % 65536 - 32768 for i in range(N)], pa.int16()),
           "u8": ([i % 256 for i in range(N)], pa.uint8()), "u16": ([i * 37 % 65536 for i in range(N)], pa.uint16()), "u32": ([i * 2654435761 % (1 << 32) for i in range(N)], pa.uint32()),
           "u64": (wide, pa.uint64()), "i64": (big, pa.int64()), "half": (halves, pa.float16()), "single": (scores, pa.float32()), "double": (scores, pa.float64()),
           "large": (texts, pa.large_string()), "view": (texts, pa.string_view()), "binary": ([t.encode() for t in texts], pa.binary()), "large_binary": ([t.encode() for t in texts], pa.large_binary()),
           "null": ([None] * N, pa.null())}
typed = {k: pa.array(v, t) for k, (v, t) in columns.items()}
typed["dictionary"] = pa.array(parts).dictionary_encode()
typed["uuid"] = pa.array([u.bytes for u in uuids], pa.uuid())
holds = {k: v for k, (v, _) in columns.items()} | {"dictionary": parts, "uuid": uuids}
for name, options in [("types", {}), ("types-plain", {"use_dictionary": False}), ("types-v2", {"data_page_version": "2.0", "compression": "zstd"}), ("types-2", {"version": "1.0"})]:
    write(name, pa.table(typed), holds, **options)

day0, time0 = datetime.date(1969, 12, 1), datetime.datetime(1969, 12, 30, 12)
days = [day0 + datetime.timedelta(days=37 * (i % 2000)) for i in range(N)]
stamps = [time0 + datetime.timedelta(seconds=86411 * i) for i in range(N)]
millis = [t + datetime.timedelta(milliseconds=i % 5 * 250) for i, t in enumerate(stamps)]
micros = [None if i % 6 == 1 else t + datetime.timedelta(microseconds=i) for i, t in enumerate(stamps)]
clocks = [(datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=17 * i % 86400, milliseconds=i % 4 * 250)).time() for i in range(N)]
zoned = [None if t is None else t.replace(tzinfo=UTC) for t in micros]
rome = [t.replace(tzinfo=UTC) for t in millis]
timed = pa.table({"day": days, "ms": pa.array(millis, pa.timestamp("ms")), "us": pa.array(micros, pa.timestamp("us")), "ns": pa.array(micros, pa.timestamp("ns")), "s": pa.array(stamps, pa.timestamp("s")),
                  "zoned": pa.array(zoned, pa.timestamp("us", "UTC")), "rome": pa.array(rome, pa.timestamp("ms", "Europe/Rome")), "ms of day": pa.array(clocks, pa.time32("ms")), "us of day": pa.array(clocks, pa.time64("us")),
                  "ns of day": pa.array(clocks, pa.time64("ns"))})
timing = {"day": days, "ms": millis, "us": micros, "ns": micros, "s": stamps, "zoned": zoned, "rome": rome, "ms of day": clocks, "us of day": clocks, "ns of day": clocks}
write("times", timed, timing)
write("times-v1", timed, timing, version="2.4", use_dictionary=False)
write("int96", pa.table({"at": pa.array(micros, pa.timestamp("us")), "ms": pa.array(millis, pa.timestamp("ns"))}), {"at": micros, "ms": millis}, use_deprecated_int96_timestamps=True)

money = [None if i % 9 == 4 else decimal.Decimal(i * 37 - 999).scaleb(-2) for i in range(N)]
huge = [decimal.Decimal((-1) ** i * (10 ** 30 + i)).scaleb(-5) for i in range(N)]
dec = {"small": pa.array(money, pa.decimal128(9, 2)), "middle": pa.array(money, pa.decimal128(18, 2)), "fixed": pa.array(huge, pa.decimal128(38, 5)), "wide": pa.array(huge, pa.decimal256(60, 5)),
       "whole": pa.array([decimal.Decimal(i) for i in range(N)], pa.decimal128(20, 0))}
held = {"small": money, "middle": money, "fixed": huge, "wide": huge, "whole": [decimal.Decimal(i) for i in range(N)]}
write("decimals", pa.table(dec), held, store_decimal_as_integer=True)
write("decimals-fixed", pa.table(dec), held)

lists = [None if i % 5 == 4 else [None if k % 3 == 2 else f"f{i}-{k}" for k in range(i % 4)] for i in range(N)]
deep = [None if i % 6 == 5 else [None if j == 1 else list(range(i % 3 + j)) for j in range(i % 4)] for i in range(N)]
meta = [None if i % 8 == 6 else {"field": lists[i], "year": years[i], "source": {"name": f"s{i % 3}", "url": None if i % 2 else texts[i][:9]}} for i in range(N)]
records = [[{"k": f"k{i}{j}", "v": j} for j in range(i % 3)] for i in range(N)]
maps = [[(f"m{j}", i + j) for j in range(i % 3)] for i in range(N)]


def first(v):
    """Of lists the first element, as the reader has it."""
    while isinstance(v, list):
        v = v[0] if v else None
    return v


def nth(v, k):
    return first(v[k]) if v is not None and k < len(v) else None


def get(v, *keys):
    for k in keys:
        v = None if v is None else v[k]
    return v


nested = pa.table({"list": pa.array(lists, pa.list_(pa.string())), "deep": pa.array(deep, pa.list_(pa.list_(pa.int64()))), "meta": pa.array(meta, pa.struct([("field", pa.list_(pa.string())), ("year", pa.int32()), ("source", pa.struct([("name", pa.string()), ("url", pa.string())]))])),
                   "records": pa.array(records, pa.list_(pa.struct([("k", pa.string()), ("v", pa.int32())]))), "map": pa.array(maps, pa.map_(pa.string(), pa.int64())), "text": texts,
                   "large": pa.array(lists, pa.large_list(pa.string())), "fixed": pa.array([[i, i + 1] for i in range(N)], pa.list_(pa.int32(), 2))})
nests = {"list": [first(v) for v in lists], ("list", "[0]"): [nth(v, 0) for v in lists], ("list", "[2]"): [nth(v, 2) for v in lists], "deep": [first(v) for v in deep], ("deep", "[2]"): [nth(v, 2) for v in deep],
         ("deep", "[2]", "[1]"): [nth(v[2], 1) if v and len(v) > 2 else None for v in deep], ("meta", "field"): [first(get(m, "field")) for m in meta], ("meta", "field", "[1]"): [nth(get(m, "field"), 1) for m in meta],
         ("meta", "year"): [get(m, "year") for m in meta], ("meta", "source", "name"): [get(m, "source", "name") for m in meta], ("meta", "source", "url"): [get(m, "source", "url") for m in meta],
         ("records", "[1]", "k"): [get(r[1], "k") if len(r) > 1 else None for r in records], ("records", "[0]", "v"): [get(r[0], "v") if r else None for r in records], "text": texts,
         "large": [first(v) for v in lists], ("fixed", "[1]"): [i + 1 for i in range(N)]}
write("nested", nested, nests, data_page_size=PAGE, write_batch_size=16)
write("nested-v2", nested, nests, data_page_version="2.0", data_page_size=PAGE, write_batch_size=16, compression="zstd")
write("nested-old", nested, nests, use_compliant_nested_type=False)
long = [words(i, 4000) for i in range(20)]
write("long", pa.table({"text": long}), {"text": long}, data_page_size=1000)


def polars():
    import polars as pl
    df = pl.DataFrame({"id": ids, "part": parts, "year": years, "text": texts, "when": micros, "day": days, "money": money, "list": lists, "u": wide, "cat": pl.Series(parts, dtype=pl.Categorical)},
                      schema_overrides={"year": pl.Int16, "u": pl.UInt64, "money": pl.Decimal(20, 2)})
    holds = {"id": ids, "part": parts, "year": years, "text": texts, "when": micros, "day": days, "money": money, "list": [first(v) for v in lists], "u": wide, "cat": parts}
    names = {"polars": {}} if small else {"polars": {}, "polars-pages": {"data_page_size": PAGE, "row_group_size": 700, "compression": "lz4"}, "polars-none": {"compression": "uncompressed", "statistics": False}, "polars-gzip": {"compression": "gzip"}, "polars-brotli": {"compression": "brotli"}, "polars-snappy": {"compression": "snappy"}}
    for name, options in names.items():
        df.write_parquet(os.path.join(folder, name + ".parquet"), **options)
        expect(name, "polars " + pl.__version__, holds, N)


def duckdb():
    import duckdb as db
    con = db.connect()
    source = pa.table({"id": ids, "part": parts, "year": pa.array(years, pa.int32()), "text": texts, "at": pa.array(micros, pa.timestamp("us")), "zoned": pa.array(zoned, pa.timestamp("us", "UTC")), "day": days, "money": pa.array(money, pa.decimal128(12, 2)),
                       "list": pa.array(lists, pa.list_(pa.string())), "u": pa.array(wide, pa.uint64()), "uuid": [str(u) for u in uuids], "meta": nested["meta"]})
    con.register("source", source)
    holds = {"id": ids, "part": parts, "year": years, "text": texts, "at": micros, "zoned": zoned, "day": days, "money": money, "list": [first(v) for v in lists], "u": wide, "uuid": uuids, ("meta", "field", "[1]"): nests[("meta", "field", "[1]")], ("meta", "source", "url"): nests[("meta", "source", "url")]}
    names = {"duckdb": ""} if small else {"duckdb": "", "duckdb-v2": ", PARQUET_VERSION v2, COMPRESSION zstd", "duckdb-lz4": ", COMPRESSION lz4_raw, ROW_GROUP_SIZE 2048", "duckdb-brotli": ", COMPRESSION brotli", "duckdb-none": ", COMPRESSION uncompressed", "duckdb-gzip": ", COMPRESSION gzip"}
    for name, options in names.items():
        con.execute(f"COPY (SELECT * REPLACE (CAST(uuid AS UUID) AS uuid) FROM source) TO '{os.path.join(folder, name)}.parquet' (FORMAT parquet{options})")
        expect(name, "duckdb " + db.__version__, holds, N)


def fastparquet():
    import fastparquet as fp, pandas as pd
    frame = pd.DataFrame({"id": ids, "text": texts, "score": scores, "at": pd.Series(stamps).astype("datetime64[ns]"), "part": pd.Categorical(parts), "n": numbers})
    holds = {"id": ids, "text": texts, "score": scores, "at": stamps, "part": parts, "n": numbers}
    names = {"fastparquet": {"times": "int96", "object_encoding": "utf8"}} if small else {"fastparquet": {"times": "int96", "object_encoding": "utf8"}, "fastparquet-int64": {"object_encoding": "utf8", "compression": "GZIP"}, "fastparquet-lz4": {"object_encoding": "utf8", "compression": "LZ4_RAW", "row_group_offsets": 500}, "fastparquet-zstd": {"object_encoding": "utf8", "compression": "ZSTD"}}
    for name, options in names.items():
        fp.write(os.path.join(folder, name + ".parquet"), frame, **options)
        expect(name, "fastparquet " + fp.__version__, holds, N)


def encrypted():
    import pyarrow.parquet.encryption as pe

    class Kms(pe.KmsClient):
        def __init__(self, config):
            pe.KmsClient.__init__(self)

        def wrap_key(self, key, master):
            return base64.b64encode(key)

        def unwrap_key(self, wrapped, master):
            return base64.b64decode(wrapped)

    factory = pe.CryptoFactory(lambda config: Kms(config))
    for name, plaintext in [("encrypted-footer", False), ("encrypted-columns", True)]:
        config = pe.EncryptionConfiguration(footer_key="f", column_keys={"c": ["text"]}, plaintext_footer=plaintext)
        properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), config)
        with pq.ParquetWriter(os.path.join(folder, name + ".parquet"), table.schema, encryption_properties=properties) as w:
            w.write_table(table.slice(0, 20))


failed = []
for more in [polars, duckdb, fastparquet, encrypted]:
    try:
        more()
    except Exception as e:
        failed.append(f"{more.__name__}: {type(e).__name__}: {e}")
print("\n".join(failed) or "all of them")
