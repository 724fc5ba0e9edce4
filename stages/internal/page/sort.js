for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const original = [...table.tBodies].map(body => [...body.rows]);
  heads.forEach((head, column) => {
    if (head.dataset.fixed !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const state = head.getAttribute("aria-sort");
      const next = state === null ? "ascending" : state === "ascending" ? "descending" : null;
      heads.forEach(h => h.removeAttribute("aria-sort"));
      if (next) head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      const value = row => {
        const cell = row.cells[column];
        return cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v === "" ? null : Number(cell.dataset.v);
      };
      [...table.tBodies].forEach((body, i) => {
        const first = original[i].filter(row => row.className === "set");
        const rows = original[i].filter(row => row.className !== "set");
        if (next) rows.sort((a, b) => {
          const x = value(a), y = value(b);
          if (x === null || y === null) return (x === null) - (y === null);
          return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", {numeric: true}));
        });
        body.append(...first, ...rows);
      });
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
