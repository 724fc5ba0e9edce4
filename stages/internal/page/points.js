// Names the mixture of a mark of a scatter, under the pointer, by touch, and by the arrow keys once the figure has the focus, and shows the
// same mixture in every other scatter. As in the rest of the page no less-than sign or ampersand stands here, so that it is XML, too. Without it, the names are in the marks' titles.
{
  const figures = [...document.querySelectorAll("#trust svg.ablate-plot")].map(svg => {
    const marks = [...svg.querySelectorAll(".p,.h")].filter(mark => mark.querySelector("title")).map(mark => {
      const title = mark.querySelector("title");
      const [mixture, ...rest] = title.textContent.split("\n");
      mark.classList.add("one");
      title.remove(); // or the browser would show it beside ours
      const at = rest.join(" ").lastIndexOf(": ");
      const [proxy, scores] = [rest.join(" ").slice(0, at), rest.join(" ").slice(at + 2).split(" → ")];
      return {mark, mixture, proxy, predicted: scores[0], reference: scores[1]};
    });
    return {svg, marks, box: null};
  }).filter(figure => figure.marks.length > 0);
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  const cell = (kind, text, className) => {
    const out = document.createElement(kind);
    out.textContent = text;
    if (className) out.className = className;
    return out;
  };
  // A mixture's name as a person reads it: escapes are taken back, and then spaced plus signs join its components.
  const spoken = mixture => {
    if (!mixture.includes("%")) return mixture;
    try {
      return mixture.split("+").map(decodeURIComponent).join(" + ");
    } catch {
      return mixture; // a percent sign that begins no escape
    }
  };
  const middle = mark => {
    const r = mark.getBoundingClientRect();
    return {x: r.left + r.width / 2, y: r.top + r.height / 2};
  };
  const hide = () => {
    tip.hidden = true;
    for (const {svg, marks} of figures) {
      svg.classList.remove("chosen");
      for (const m of marks) m.mark.classList.remove("on");
    }
  };
  const show = (figure, chosen) => {
    hide();
    for (const {svg, marks} of figures) {
      svg.classList.add("chosen");
      for (const m of marks) if (m.mixture === chosen.mixture) {
        m.mark.classList.add("on");
        m.mark.parentNode.append(m.mark); // above its neighbours
      }
    }
    const table = document.createElement("table");
    const row = (name, value, className) => {
      const line = document.createElement("tr");
      line.append(cell("th", name), cell("td", value, "n"));
      if (className) line.className = className;
      table.append(line);
    };
    for (const m of figure.marks) if (m.mixture === chosen.mixture) row(m.proxy, m.predicted, m === chosen ? "here" : "");
    row("reference", chosen.reference, "reference");
    tip.replaceChildren(cell("b", spoken(chosen.mixture)), table);
    tip.hidden = false;
    const at = middle(chosen.mark), box = tip.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    const left = wide >= at.x + 14 + box.width ? at.x + 14 : at.x - 14 - box.width;
    tip.style.left = Math.max(4, Math.min(left, wide - box.width - 4)) + scrollX + "px";
    tip.style.top = Math.max(4, at.y - box.height / 2) + scrollY + "px";
  };
  const near = (figure, event) => {
    let best = null, least = 22 * 22; // pixels: a finger's breadth
    for (const m of figure.marks) {
      const at = middle(m.mark), d = (at.x - event.clientX) ** 2 + (at.y - event.clientY) ** 2;
      if (least > d) [best, least] = [m, d];
    }
    return best;
  };
  for (const figure of figures) {
    const {svg, marks} = figure;
    // From the lowest reference score to the highest, one stop a mixture.
    const stops = [];
    for (const m of [...marks].sort((a, b) => middle(b.mark).y - middle(a.mark).y)) if (!stops.some(s => s.mixture === m.mixture)) stops.push(m);
    let stop = 0;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-label", svg.getAttribute("aria-label") + ". Arrow keys go from mixture to mixture.");
    svg.addEventListener("pointermove", event => {
      const m = near(figure, event);
      if (m) show(figure, m); else if (document.activeElement !== svg) hide();
    });
    svg.addEventListener("pointerdown", event => {
      const m = near(figure, event);
      if (m) [stop] = [Math.max(0, stops.findIndex(s => s.mixture === m.mixture))], show(figure, m);
    });
    svg.addEventListener("pointerleave", event => {
      if (event.pointerType === "mouse") if (document.activeElement !== svg) hide();
    });
    svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) show(figure, stops[stop]); });
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", event => {
      const to = {ArrowRight: stop + 1, ArrowUp: stop + 1, ArrowLeft: stop - 1, ArrowDown: stop - 1, Home: 0, End: stops.length - 1}[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      stop = Math.max(0, Math.min(stops.length - 1, to));
      show(figure, stops[stop]);
    });
  }
  addEventListener("beforeprint", hide);
}
