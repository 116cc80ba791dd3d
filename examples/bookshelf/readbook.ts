// Notes that a book was read: POST / {"id": …} → 204, or 404 where there is no such book.
import { randomUUID } from "node:crypto";
import { follow, idOf, publish } from "./events.ts";
import { problem, serve } from "./service.ts";

await serve({ name: "readbook", tags: ["bookshelf", "aggregate"] }, async (parts) => {
  const ids = new Set<string>();
  const history = await follow(parts, (event) => {
    if (event.name === "book-added") ids.add(event.payload.id);
  });
  return async ({ method, body, idempotencyKey }) => {
    if (method !== "POST") return { ...problem(405, `Cannot ${method}: wanted POST`), headers: { allow: "POST" } };
    const { id } = (typeof body === "object" && body !== null ? body : {}) as { readonly id?: unknown };
    if (typeof id !== "string") return problem(400, "Cannot note that a book was read: wanted an object with its id");
    // It may have been added a moment ago.
    if (!ids.has(id)) await history.upToDate();
    if (!ids.has(id)) return problem(404, `Cannot note that ${JSON.stringify(id)} was read: there is no such book`);
    const event = idOf("read", idempotencyKey === null ? randomUUID() : `${id} ${idempotencyKey}`);
    await publish(parts.microserver, { id: event, name: "book-read", payload: { id } });
    return { status: 204 };
  };
});
