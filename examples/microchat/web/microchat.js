import { connect } from "/datawire.js";

const TOPIC = "topic/microchat";
const HISTORY = 25;
const MESSAGES_MAX = 500;
const part = (id) => document.getElementById(id);

const microserver = await connect();

part("who").value = localStorage.getItem("microchat-name") ?? "";
(part("who").value === "" ? part("who") : part("text")).focus();

setInterval(() => {
  const { state } = microserver.status;
  part("state").textContent = state;
  part("state").dataset.state = state;
}, 200);

part("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const who = part("who").value.trim() || "somebody";
  const text = part("text").value.trim();
  if (text === "") return;
  localStorage.setItem("microchat-name", part("who").value.trim());
  part("text").value = "";
  try {
    await microserver.send(TOPIC, { who, text, at: new Date() });
    part("problem").textContent = "";
  } catch (error) {
    part("problem").textContent = error.message;
  }
});

for await (const { body } of microserver.subscribe(TOPIC, { from: -HISTORY })) show(body);

/** Anybody may send anything to a topic. */
function show(body) {
  const { who = "somebody", text = body, at } = typeof body === "object" && body !== null ? body : {};
  const list = part("messages");
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
  const row = document.createElement("li");
  row.append(element("span", "who", String(who)));
  if (at instanceof Date) row.append(element("time", "", at.toLocaleTimeString()));
  row.append(element("span", "text", typeof text === "string" ? text : JSON.stringify(text)));
  list.append(row);
  while (list.children.length > MESSAGES_MAX) list.firstChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
