import { connect } from "/datawire.js";

const MESSAGES_MAX = 500;
const part = (id) => document.getElementById(id);

const microserver = await connect();

setInterval(() => {
  const { state } = microserver.status;
  part("state").textContent = state;
  part("state").dataset.state = state;
}, 200);

part("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (text === "") return;
  part("text").value = "";
  try {
    await microserver.send("microlog", text);
    part("problem").textContent = "";
  } catch (error) {
    part("problem").textContent = error.message;
  }
});

for await (const message of microserver.subscribe("topic/microlog", { from: -25 })) show(message);

function show({ body, at }) {
  const list = part("messages");
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
  const row = document.createElement("li");
  const text = document.createElement("span");
  text.textContent = typeof body === "string" ? body : JSON.stringify(body);
  row.append(text);
  if (at !== null) {
    const time = document.createElement("time");
    time.textContent = at.toLocaleTimeString();
    row.append(time);
  }
  list.append(row);
  while (list.children.length > MESSAGES_MAX) list.firstChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}
