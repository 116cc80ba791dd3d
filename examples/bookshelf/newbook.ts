// Puts books on the shelf: POST / {"title": …} → 201 with the book and its new id.
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Book, follow, idOf, publish } from "./events.ts";
import { problem, serve } from "./service.ts";

await serve({ name: "newbook", tags: ["bookshelf", "aggregate"] }, async (parts) => {
  const books = new Map<string, Book>();
  const history = await follow(parts, (event) => {
    if (event.name === "book-added") books.set(event.payload.id, event.payload);
  });
  return async ({ method, body, idempotencyKey }) => {
    if (method !== "POST") return { ...problem(405, `Cannot ${method}: wanted POST`), headers: { allow: "POST" } };
    if (!isBook(body)) return problem(400, "Cannot add a book: wanted an object with a title that is no empty text");
    // The same key is the same book, also for another instance that is asked at the same time.
    const id = idOf("book", idempotencyKey ?? randomUUID());
    const book: Book = { ...body, id };
    if (!books.has(id)) {
      await publish(parts.microserver, { id, name: "book-added", payload: book });
      await history.upToDate();
    }
    const there = books.get(id) ?? book;
    if (!isDeepStrictEqual(there, book))
      return problem(422, "Cannot add a book: its Idempotency-Key was used for another one");
    return { status: 201, body: there };
  };
});

function isBook(body: unknown): body is Omit<Book, "id"> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  const { title } = body as { readonly title?: unknown };
  return typeof title === "string" && title.trim() !== "";
}
