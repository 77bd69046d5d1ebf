// Highlighting a candidate in all figures at once, and the numbers of a turn under the pointer or the arrow keys.
// The tooltip shows the row of the table that stands under the figure: no second copy of the numbers.

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

function pick(index) {
  document.body.classList.toggle("picked", index !== null);
  for (const mark of document.querySelectorAll("[data-of]")) mark.classList.toggle("on", mark.dataset.of === index);
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.setAttribute("aria-pressed", String(button.dataset.pick === index));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-pick]");
  if (button) pick(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.pick);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") pick(null);
});

function fillTip(tip, table, row) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const cells = [...row.cells].slice(1);
  const small = make("table");
  heads.forEach((head, i) => {
    if (cells[i].textContent === "–") return;
    const line = small.insertRow();
    const who = make("th");
    who.append(...[...head.childNodes].map((node) => node.cloneNode(true)));
    line.append(who, make("td", "", cells[i].textContent));
  });
  tip.replaceChildren(make("p", "", `turn ${row.cells[0].textContent}`), small);
}

for (const plot of document.querySelectorAll("[data-chart]")) {
  const table = document.querySelector(`table[data-for="${plot.dataset.chart}"]`);
  if (!table) continue;
  const chart = plot.querySelector(".chart");
  const rows = [...table.tBodies[0].rows];
  const places = rows.map((row) => Number(row.dataset.at));
  const cross = make("div", "cross");
  const tip = make("div", "tip");
  tip.setAttribute("role", "status");
  let current = -1;

  const hide = () => {
    cross.remove();
    tip.remove();
    current = -1;
  };
  const show = (index) => {
    if (index === current) return;
    current = index;
    fillTip(tip, table, rows[index]);
    plot.append(cross, tip);
    const outer = plot.getBoundingClientRect();
    const inner = chart.getBoundingClientRect();
    const x = inner.left - outer.left + (inner.width * places[index]) / 100;
    cross.style.left = `${x}px`;
    cross.style.top = `${inner.top - outer.top}px`;
    cross.style.height = `${inner.height}px`;
    // Beside the line where there is room, else as far right as the page allows.
    const room = document.documentElement.clientWidth - outer.left - 12;
    const right = x + 14;
    const left = right + tip.offsetWidth <= room ? right : x - 14 - tip.offsetWidth;
    tip.style.left = `${Math.max(8 - outer.left, Math.min(left, room - tip.offsetWidth))}px`;
    tip.style.top = `${inner.top - outer.top + 8}px`;
  };
  const follow = (event) => {
    const inner = chart.getBoundingClientRect();
    const at = (100 * (event.clientX - inner.left)) / inner.width;
    if (at < -4 || at > 104) return hide();
    let nearest = 0;
    places.forEach((place, i) => {
      if (Math.abs(place - at) < Math.abs(places[nearest] - at)) nearest = i;
    });
    show(nearest);
  };
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    show(Math.max(0, Math.min(rows.length - 1, current + step)));
  });
}

addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
