const at = (id) => document.getElementById(id);
const sets = [...document.querySelectorAll("fieldset")];
let place = null;
let now = 0;
let busy = false;

const chosen = (set) => set.querySelector("input:checked");

function point(index) {
  now = Math.max(0, Math.min(index, sets.length - 1));
  sets.forEach((set, each) => set.classList.toggle("now", each === now));
  at("keep").disabled = !sets.every(chosen);
}

function show(question) {
  at("count").textContent = `${question.answered} of ${question.total}`;
  at("bar").value = question.answered;
  place = question.place;
  at("ask").hidden = place === null;
  at("done").hidden = place !== null;
  if (place === null) return;
  at("earlier").hidden = !question.left_out;
  at("earlier").textContent = `${question.left_out} earlier messages are not shown.`;
  at("talk").replaceChildren(...question.messages.map(([role, text]) => {
    const item = document.createElement("li");
    const speaker = document.createElement("p");
    item.className = role === "assistant" ? "assistant" : "user";
    speaker.className = "speaker";
    speaker.textContent = role;
    item.append(speaker, text);
    return item;
  }));
  at("text").textContent = question.reply;
  at("levels").reset();
  point(0);
  at("reply").scrollIntoView({ block: "center" });
}

async function ask(path, body) {
  if (busy) return;
  busy = true;
  try {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(path, sent);
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    at("trouble").hidden = true;
    show(answer);
  } catch (error) {
    at("trouble").textContent = `${error.message}. Nothing was lost; is holdfast label still running?`;
    at("trouble").hidden = false;
  } finally {
    busy = false;
  }
}

function keep() {
  if (place === null || !sets.every(chosen)) return;
  const levels = Object.fromEntries(sets.map((set) => [set.dataset.name, Number(chosen(set).value)]));
  ask("answer", { place, levels });
}

at("levels").addEventListener("submit", (event) => { event.preventDefault(); keep(); });
at("levels").addEventListener("change", (event) => point(sets.indexOf(event.target.closest("fieldset")) + 1));
at("undo").addEventListener("click", () => ask("undo", {}));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "u") { event.preventDefault(); ask("undo", {}); return; }
  if (place === null) return;
  const input = sets[now].querySelector(`input[value="${CSS.escape(event.key)}"]`);
  if (input) { event.preventDefault(); input.checked = true; point(now + 1); }
  if (event.key === "Backspace") { event.preventDefault(); point(now - 1); }
  if (event.key === "Enter" && event.target.tagName !== "BUTTON") { event.preventDefault(); keep(); }
});
ask("next");
