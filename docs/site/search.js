// Search over the sections of all pages, in the browser. The index is a script of its own, which is loaded when
// it is first needed, so that pages are small and the site works from a disk, too.
"use strict";
(() => {
	const up = document.body.dataset.up;
	const form = document.getElementById("search");
	const input = form.querySelector("input");
	const list = document.getElementById("found");
	const most = 12;
	let loading = null;
	let chosen = -1;

	// On a narrow screen the list of pages starts closed.
	if (matchMedia("(max-width: 50rem)").matches) document.getElementById("menu").open = false;

	const load = () => loading ??= new Promise((done, fail) => {
		const script = document.createElement("script");
		script.src = up + "search-index.js";
		script.onload = () => done(window.ablateIndex.map(e => ({
			...e, page_: e.page.toLowerCase(), section_: e.section.toLowerCase(), text_: e.text.toLowerCase(),
		})));
		script.onerror = fail;
		document.head.append(script);
	});

	// score is 0 where a word of the query is nowhere in the section.
	const score = (e, words) => {
		let sum = 0;
		for (const w of words) {
			let s = 0;
			if (e.section_.includes(w)) s += e.section_.startsWith(w) ? 12 : 8;
			if (e.page_.includes(w)) s += 4;
			const at = e.text_.indexOf(w);
			if (at >= 0) s += 2 + Math.min(3, e.text_.split(w).length - 2) / 2;
			if (s === 0) return 0;
			sum += s;
		}
		return sum;
	};

	const around = (e, word) => {
		const at = Math.max(0, e.text_.indexOf(word) - 30);
		return (at > 0 ? "… " : "") + e.text.slice(at, at + 160);
	};

	const show = entries => {
		chosen = -1;
		list.replaceChildren(...entries);
		list.hidden = entries.length === 0;
	};

	const search = async () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(w => w);
		if (words.length === 0) return show([]);
		const index = await load();
		if (words.join(" ") !== input.value.toLowerCase().trim().replace(/\s+/g, " ")) return; // typed on meanwhile
		const found = index.map(e => ({ e, s: score(e, words) })).filter(f => f.s > 0).sort((a, b) => b.s - a.s).slice(0, most);
		if (found.length === 0) {
			const none = document.createElement("p");
			none.textContent = "Nothing found.";
			return show([none]);
		}
		show(found.map(({ e }) => {
			const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("span");
			link.href = up + e.url;
			link.append(e.section === e.page ? e.page : `${e.page}: ${e.section}`);
			text.textContent = around(e, words[0]);
			link.append(text);
			item.append(link);
			return item;
		}));
	};

	const choose = step => {
		const links = [...list.querySelectorAll("a")];
		if (links.length === 0) return;
		links[chosen]?.classList.remove("chosen");
		chosen = (chosen + step + links.length) % links.length;
		links[chosen].classList.add("chosen");
		links[chosen].scrollIntoView({ block: "nearest" });
	};

	input.addEventListener("focus", load);
	input.addEventListener("input", search);
	input.addEventListener("keydown", e => {
		if (e.key === "ArrowDown") { e.preventDefault(); choose(1); }
		if (e.key === "ArrowUp") { e.preventDefault(); choose(chosen < 0 ? 0 : -1); }
		if (e.key === "Escape") { input.value = ""; show([]); }
	});
	form.addEventListener("submit", e => {
		e.preventDefault();
		(list.querySelector("a.chosen") ?? list.querySelector("a"))?.click();
	});
	document.addEventListener("click", e => { if (!form.contains(e.target)) list.hidden = true; });
	document.addEventListener("keydown", e => {
		if (e.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); input.focus(); }
	});
	const query = new URLSearchParams(location.search).get("q"); // page.html?q=words
	if (query) { input.value = query; search(); }
})();
