// Transcripts side by side. All text goes through textContent; nothing here builds markup from strings.

const store = JSON.parse(document.getElementById("transcript-data").textContent);
const page = Object.fromEntries(
  ["pick-who", "pick-run", "pick-cols", "find", "found", "found-count", "found-list", "about", "columns", "column-template", "turn-template"]
    .map((id) => [id, document.getElementById(id)]),
);
const state = { group: null, columns: [], query: "" };
const fixed = (value, digits) => (value === null ? "–" : value.toFixed(digits).replace("-", "−"));
const plain = (identifier) => identifier.replaceAll("_", " ");

function put(root, field, text) {
  root.querySelector(`[data-f="${field}"]`).textContent = text;
}

function putMarked(root, field, text) {
  root.querySelector(`[data-f="${field}"]`).replaceChildren(...marked(text, state.query));
}

function putBar(root, field, share, target) {
  const bar = root.querySelector(`[data-bar="${field}"]`);
  bar.querySelector(".fill").setAttribute("width", `${100 * Math.max(0, Math.min(1, share))}%`);
  if (target === undefined) return;
  const rule = bar.querySelector(".target");
  rule.setAttribute("visibility", target === null ? "hidden" : "visible");
  for (const end of ["x1", "x2"]) rule.setAttribute(end, `${100 * (target ?? 0)}%`);
}

function turnElement(turn, group) {
  const element = page["turn-template"].content.firstElementChild.cloneNode(true);
  element.dataset.turn = turn.t;
  put(element, "t", turn.t);
  putMarked(element, "u", turn.u);
  putMarked(element, "r", turn.r);
  put(element, "a", fixed(turn.a, 2));
  putBar(element, "a", turn.a ?? 0);
  const { low, high } = group.scale;
  const share = (level) => (level - low) / (high - low);
  turn.x.forEach((level, i) => {
    put(element, `x${i}`, fixed(level, 1));
    putBar(element, `x${i}`, share(level ?? low), group.target[i] === null ? null : share(group.target[i]));
  });
  put(element, "f", fixed(turn.f, 1));
  putBar(element, "f", ((turn.f ?? 1) - 1) / 4);
  const how = [];
  if (turn.by) how.push(`adapter ${turn.by}`);
  if (turn.as) how.push(`took it for ${plain(turn.as)}`);
  if (turn.goals.length) how.push(`serves: ${turn.goals.join(", ")}`);
  if (turn.stop) how.push(`ends: ${plain(turn.stop)}`);
  put(element, "how", how.join(" · "));
  return element;
}

function columnElement(episode, group) {
  const element = page["column-template"].content.firstElementChild.cloneNode(true);
  put(element, "name", episode.name);
  element.querySelector('[data-f="key"]').setAttribute("class", `key s${store.slots[episode.c] ?? 0}`);
  const failed = element.querySelector('[data-f="error"]');
  failed.hidden = episode.error === null;
  failed.textContent = episode.error === null ? "" : `Failed: ${episode.error}`;
  element.querySelector('[data-f="turns"]').replaceChildren(...episode.turns.map((turn) => turnElement(turn, group)));
  return element;
}

// Turns of different columns get the same height, row by row, so that the same moment stands side by side.
function align() {
  const lists = [...page.columns.querySelectorAll(".turns")];
  const rows = Math.max(0, ...lists.map((list) => list.children.length));
  for (const item of page.columns.querySelectorAll(".turn")) item.style.minHeight = "";
  const heights = Array.from({ length: rows }, (_, i) => Math.max(...lists.map((list) => Math.ceil(list.children[i]?.getBoundingClientRect().height ?? 0))));
  for (const list of lists) [...list.children].forEach((item, i) => (item.style.minHeight = `${heights[i]}px`));
}

function draw() {
  const group = state.group;
  put(page.about, "who", group.who);
  put(page.about, "task", group.task);
  put(page.about, "pattern", group.pattern);
  put(page.about, "wants", group.wants === null ? "" : ` · wanted ${group.wants} of 3`);
  put(page.about, "about", group.about);
  const shown = group.episodes.filter((episode) => state.columns.includes(episode.c));
  page.columns.replaceChildren(...shown.map((episode) => columnElement(episode, group)));
  if (!shown.length) page.columns.append(make("p", "quiet", "None of the chosen candidates met this user; choose another above."));
  align();
}

function choices(select, labels, chosen) {
  select.replaceChildren(...labels.map((label, i) => new Option(label, String(i), false, i === chosen)));
}

const people = [...new Set(store.groups.map((group) => `${group.who} · ${group.task}`))];
const runsOf = (person) => store.groups.filter((group) => `${group.who} · ${group.task}` === people[person]);
const runName = (group) => `seed ${group.seed} · ${group.turns} turns${group.round ? ` · round ${group.round}` : ""}`;

function show(group) {
  const person = people.indexOf(`${group.who} · ${group.task}`);
  const runs = runsOf(person);
  state.group = group;
  choices(page["pick-who"], people, person);
  choices(page["pick-run"], runs.map(runName), runs.indexOf(group));
  for (const box of page["pick-cols"].querySelectorAll("input")) {
    box.checked = state.columns.includes(Number(box.value));
    box.parentElement.classList.toggle("absent", !group.episodes.some((episode) => episode.c === Number(box.value)));
  }
  draw();
}

function start() {
  state.columns = store.first;
  page["pick-cols"].replaceChildren(
    ...store.candidates.map((name, i) => {
      const label = make("label");
      const box = make("input");
      Object.assign(box, { type: "checkbox", value: String(i) });
      const key = page["column-template"].content.querySelector(".key").cloneNode(true);
      key.setAttribute("class", `key s${store.slots[i]}`);
      label.append(box, key, make("bdi", "", name));
      return label;
    }),
  );
  page["pick-cols"].addEventListener("change", () => {
    state.columns = [...page["pick-cols"].querySelectorAll("input:checked")].map((box) => Number(box.value));
    draw();
  });
  page["pick-who"].addEventListener("change", () => show(runsOf(Number(page["pick-who"].value))[0]));
  page["pick-run"].addEventListener("change", () => {
    show(runsOf(Number(page["pick-who"].value))[Number(page["pick-run"].value)]);
  });
  addEventListener("resize", align);
  document.querySelector(".controls").hidden = false;
  show(store.groups[0]);
}
