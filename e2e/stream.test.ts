import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** Follows topics; resolves with the next event of one, and with null once the stream has ended. */
async function follow(url: string, cookie: string) {
  const response = await fetch(url, { headers: { cookie } });
  expect(response.status).toBe(200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async (topic: string): Promise<Readonly<Record<string, unknown>> | null> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await reader.read();
        if (done) return null;
        text += value;
        continue;
      }
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      const [, name, data] = /^event: (.*)\nid: .*\ndata: (.*)$/.exec(event) ?? [];
      if (name === topic) return JSON.parse(data ?? "") as Readonly<Record<string, unknown>>;
    }
  };
}

test("dw console signs in once; what dw changes is on the stream; the stream and the session end with their token", async () => {
  const settings = { auth: { mode: "token" }, lease: "5s" };
  await stack.startDirectory([], settings);
  const { directory: port } = await stack.ports();
  const base = `http://127.0.0.1:${port}`;
  const admin = (await readFile(join(stack.folder, "directory/admin.token"), "utf8")).trim();
  stack.token = admin;
  const made = await stack.dwJson<{ readonly id: string; readonly token: string }>(
    "token",
    "create",
    "--role",
    "operator",
  );
  stack.token = made.token;
  const printed = await stack.dw("console", "--print");
  stack.token = admin;
  const [, code] = /\/console\/#code=(.+)\n$/.exec(printed.stdout) ?? [];
  const signIn = () =>
    fetch(`${base}/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: base },
      body: JSON.stringify({ code }),
    });
  const signed = await signIn();
  expect(signed.status).toBe(200);
  expect(await signed.json()).toMatchObject({ auth: "session", role: "operator", rights: ["read", "change"] });
  const again = await signIn();
  expect(again.status).toBe(401);
  const cookie = (signed.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
  const next = await follow(`${base}/v1/stream?topics=services,history`, cookie);
  expect(await next("history")).toMatchObject({ history: expect.any(Array) });
  expect((await stack.dw("service", "add", "//barker")).code).toBe(0);
  // The first ones may be of before.
  for (;;) {
    const event = await next("services");
    if (event !== null && !JSON.stringify(event).includes("barker")) continue;
    expect(event).toMatchObject({ changed: [{ service: "barker" }], gone: [] });
    break;
  }
  expect((await stack.dw("token", "revoke", made.id)).code).toBe(0);
  while ((await next("history")) !== null);
  expect((await fetch(`${base}/v1/services`, { headers: { cookie } })).status).toBe(401);
});
