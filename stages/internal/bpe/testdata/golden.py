# Writes golden.jsonl anew: the ids that the reference library gives for its texts, which are ours, under each tokenizer of this folder.
#   pip install tokenizers==0.23.3 && python golden.py
import json
import tokenizers

names = ["tiny", "neox", "cl100k"]
load = {n: tokenizers.Tokenizer.from_file(n + ".tokenizer.json") for n in names}
with open("golden.jsonl") as f:
    texts = [json.loads(line)["text"] for line in f]
with open("golden.jsonl", "w") as f:
    for text in texts:
        row = {"text": text}
        for n in names:
            ids = load[n].encode(text, add_special_tokens=False).ids
            row[n] = {"ids": ids, "text": load[n].decode(ids, skip_special_tokens=False)}
        f.write(json.dumps(row) + "\n")
