// The five books that were read last: GET / → [{ id, title, … }], the one that was read last at the end.
import { type Book, follow } from "./events.ts";
import { problem, serve } from "./service.ts";

const COUNT = 5;

await serve({ name: "lastreadbooks", tags: ["bookshelf", "view"] }, async (parts) => {
  const books = new Map<string, Book>();
  let last: readonly string[] = [];
  const history = await follow(parts, ({ name, payload }) => {
    if (name === "book-added") books.set(payload.id, payload);
    else last = [...last.filter((id) => id !== payload.id), payload.id].slice(-COUNT);
  });
  return async ({ method }) => {
    if (method !== "GET") return { ...problem(405, `Cannot ${method}: wanted GET`), headers: { allow: "GET" } };
    await history.upToDate();
    return { status: 200, body: last.flatMap((id) => books.get(id) ?? []) };
  };
});
