// Full-text search over every transcript that the page carries.

const MOST = 200; // results listed; the count says how many there are

function marked(text, query) {
  if (!query) return [document.createTextNode(text)];
  const parts = [];
  const low = text.toLowerCase();
  // Lower-casing can change the length of a text ("İ"); then places no longer match, and the text stays unmarked.
  if (low.length !== text.length) return [document.createTextNode(text)];
  let from = 0;
  for (let at = low.indexOf(query); at >= 0; at = low.indexOf(query, from)) {
    parts.push(document.createTextNode(text.slice(from, at)), make("mark", "", text.slice(at, at + query.length)));
    from = at + query.length;
  }
  parts.push(document.createTextNode(text.slice(from)));
  return parts;
}

function matches(query) {
  const found = [];
  let total = 0;
  for (const group of store.groups) {
    for (const episode of group.episodes) {
      for (const turn of episode.turns) {
        for (const text of [turn.u, turn.r]) {
          if (!text.toLowerCase().includes(query)) continue;
          total += 1;
          if (found.length < MOST) found.push({ group, episode, turn, text });
        }
      }
    }
  }
  return { found, total };
}

function excerpt(text, query) {
  const at = Math.max(0, text.toLowerCase().indexOf(query));
  const from = Math.max(0, at - 50);
  const to = Math.min(text.length, at + query.length + 90);
  return (from ? "…" : "") + text.slice(from, to) + (to < text.length ? "…" : "");
}

function open(hit) {
  if (!state.columns.includes(hit.episode.c)) state.columns = [...state.columns, hit.episode.c];
  show(hit.group);
  const shown = hit.group.episodes.filter((episode) => state.columns.includes(episode.c));
  const column = page.columns.children[shown.indexOf(hit.episode)];
  const turn = column?.querySelector(`[data-turn="${hit.turn.t}"]`);
  if (!turn) return;
  turn.classList.add("here");
  turn.tabIndex = -1;
  turn.focus({ preventScroll: true });
  turn.scrollIntoView({ block: "center", inline: "nearest" });
}

function search() {
  const query = page.find.value.trim().toLowerCase();
  state.query = query;
  page.found.hidden = query.length < 2;
  if (query.length >= 2) {
    const { found, total } = matches(query);
    const listed = total > found.length ? `, the first ${found.length} listed` : "";
    page["found-count"].textContent = total ? `${total.toLocaleString("en")} messages hold it${listed}` : "No message holds it.";
    page["found-list"].replaceChildren(
      ...found.map((hit) => {
        const button = make("button");
        button.type = "button";
        const where = `${hit.group.who} · seed ${hit.group.seed} · ${hit.episode.name} · turn ${hit.turn.t}`;
        const line = make("span");
        line.append(...marked(excerpt(hit.text, query), query));
        button.append(line, make("small", "", where));
        button.addEventListener("click", () => open(hit));
        const item = make("li");
        item.append(button);
        return item;
      }),
    );
  } else {
    state.query = "";
  }
  draw();
}

if (store.groups.length) {
  let waiting;
  page.find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 180);
  });
  start();
}
