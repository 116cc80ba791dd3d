// The door of the shelf, below /bookshelf: what of it is a command goes to an aggregate, what is a question to a view.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { currentSession } from "@datawire/mdk";
import { mdkFetch } from "@datawire/mdk/fetch";
import { type Answer, type Asked, problem, serve } from "./service.ts";

const PAGE = readFileSync(join(import.meta.dirname, "api.html"), "utf8");
const PAUSE_MS = 100;

await serve({ name: "bookshelf", base: "/bookshelf", tags: ["bookshelf", "gateway"] }, async () => async (asked) => {
  const { method, path } = asked;
  const [, id] = /^\/bookshelf\/books\/([^/]+)\/finished$/.exec(path) ?? [];
  const allowed = (...methods: readonly string[]): Answer | null =>
    methods.includes(method)
      ? null
      : {
          ...problem(405, `Cannot ${method} ${path}: wanted ${methods.join(" or ")}`),
          headers: { allow: methods.join(", ") },
        };
  if (path === "/bookshelf" || path === "/bookshelf/") return allowed("GET") ?? { status: 200, body: PAGE };
  if (path === "/bookshelf/books/last/read") return allowed("GET") ?? view("lastreadbooks");
  if (id !== undefined) return allowed("POST") ?? command("readbook", { id: decodeURIComponent(id) }, asked);
  if (path !== "/bookshelf/books") return problem(404, `Cannot find ${path}: /bookshelf/ says what there is`);
  if (method === "GET") return view("booklist");
  return allowed("GET", "POST") ?? command("newbook", asked.body, asked);
});

/** Asks a view, which is found by its name and tag. */
async function view(name: string): Promise<Answer> {
  const answer = await mdkFetch(`http://${name}/`, { tags: ["view"] });
  return { status: answer.status, body: await answer.json() };
}

/**
 * Has an aggregate do something. Whatever is killed meanwhile, it is asked again until it has answered: by its key it knows
 * what it has done.
 */
async function command(name: string, body: unknown, { idempotencyKey }: Asked): Promise<Answer> {
  const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey ?? randomUUID() };
  const init = { method: "POST", headers, body: JSON.stringify(body), tags: ["aggregate"] };
  for (;;) {
    const answer = await mdkFetch(`http://${name}/`, init).catch((error: Error) => error);
    if (!(answer instanceof Error) && answer.status < 500)
      return { status: answer.status, ...(answer.status !== 204 && { body: await answer.json() }) };
    if (currentSession()?.getRemainingTime() === 0)
      return problem(
        503,
        `Cannot reach ${name}: ${answer instanceof Error ? answer.message : `it answers ${answer.status}`}`,
      );
    await sleep(PAUSE_MS);
  }
}
