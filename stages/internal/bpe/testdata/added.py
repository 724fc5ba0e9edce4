# Writes added.jsonl anew: the ids that the reference library gives to added tokens, for files whose ids do not follow the vocabulary.
#   pip install tokenizers==0.23.3 && python added.py
import json
import random
import tokenizers

with open("tiny.tokenizer.json") as f:
    base = json.load(f)
end = "<|endoftext|>"


def encode(vocab, added, text):
    file = json.loads(json.dumps(base))
    file["model"]["vocab"].update(vocab)
    file["added_tokens"] = [
        {"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": s} for i, c, s in added
    ]
    return tokenizers.Tokenizer.from_str(json.dumps(file)).encode(text, add_special_tokens=False).ids


cases = [
    ("in order", {}, [(319, end, True), (320, "<x>", False)], "a<x>b" + end),
    ("a gap", {}, [(319, end, True), (5000, "<x>", False)], "a<x>b"),
    ("out of order", {}, [(319, end, True), (321, "<x>", False), (320, "<y>", False)], "<x><y>"),
    ("an id of the vocabulary", {}, [(319, end, True), (65, "<x>", False)], "<x>A"),
    ("another id than the vocabulary's", {}, [(5, end, True), (320, "<x>", False)], "<x>" + end),
    ("all with one id", {}, [(319, end, True), (319, "<x>", False), (319, "<y>", True)], "<x><y>" + end),
    ("special ones between", {}, [(319, end, True), (320, "<x>", False), (321, "<s>", True), (322, "<y>", False)], "<x><s><y>"),
    ("without the end of text", {}, [(7, "<x>", False)], "<x>" + end),
    ("a hole in the vocabulary", {"zq": 400}, [(319, end, True), (330, "<x>", False)], "<x>zq"),
    ("one of the vocabulary behind a hole, last", {"zq": 400}, [(319, end, True), (330, "<x>", False), (400, "zq", False)], "<x>zq"),
]
draw = random.Random(1)
for n in range(20):
    names = [end] + ["<%s>" % c for c in "abcdef"[: draw.randint(1, 6)]] + ["he", "the"][: draw.randint(0, 2)]
    draw.shuffle(names)
    cases.append(("drawn %d" % n, {}, [(draw.randint(0, 700), c, draw.random() < 0.5) for c in names], "the " + " he".join(names)))
with open("added.jsonl", "w") as f:
    for name, vocab, added, text in cases:
        row = {"name": name, "vocab": vocab, "added": [{"id": i, "content": c, "special": s} for i, c, s in added], "text": text, "ids": encode(vocab, added, text)}
        f.write(json.dumps(row) + "\n")
