// All books: GET / → [{ id, title, … }]. Version 2 says of each whether it was read.
import { type Book, follow } from "./events.ts";
import { problem, serve } from "./service.ts";

await serve({ name: "booklist", tags: ["bookshelf", "view"] }, async (parts) => {
  const books = new Map<string, Book>();
  const read = new Set<string>();
  const history = await follow(parts, ({ name, payload }) => {
    if (name === "book-added") books.set(payload.id, payload);
    else read.add(payload.id);
  });
  const saysRead = Number.parseInt(parts.version, 10) >= 2;
  return async ({ method }) => {
    if (method !== "GET") return { ...problem(405, `Cannot ${method}: wanted GET`), headers: { allow: "GET" } };
    await history.upToDate();
    const body = [...books.values()].map((book) => (saysRead ? { ...book, read: read.has(book.id) } : book));
    return { status: 200, body };
  };
});
