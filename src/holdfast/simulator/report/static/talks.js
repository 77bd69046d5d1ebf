// Searching the conversations that a log's page carries, and opening the one that a link leads to.

const talks = [...document.querySelectorAll("details.talk")];
const find = document.getElementById("find");

function openLinked() {
  const talk = talks.find((one) => `#${one.id}` === location.hash);
  if (!talk) return;
  talk.hidden = false;
  talk.open = true;
  talk.scrollIntoView();
}

function searchTalks() {
  const query = find.value.trim().toLowerCase();
  const matching = new Set(talks.filter((talk) => talk.textContent.toLowerCase().includes(query)).map((talk) => talk.id));
  for (const talk of talks) talk.hidden = !matching.has(talk.id);
  for (const row of document.querySelectorAll("tr[data-talk]")) row.hidden = !matching.has(row.dataset.talk);
  const count = document.getElementById("find-count");
  count.hidden = !query;
  count.textContent = `${matching.size} of ${talks.length} conversations hold it.`;
}

if (find) {
  find.closest(".controls").hidden = false;
  find.addEventListener("input", searchTalks);
  addEventListener("hashchange", openLinked);
  openLinked();
}
