import { goodCertificate, testAuthority } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { connect, type ConnectOptions } from "./connect.ts";

async function microserver(options: ConnectOptions) {
  const made = await connect(options);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

test("connect() shows its certificate to whom wants one of its clients", async () => {
  const { cert, key } = goodCertificate;
  const server = await microserver({ url: "127.0.0.1:1" });
  const tls = { cert, key, clientCa: testAuthority };
  const port = await server.serve("barker", () => "woof", { host: "localhost", tls, isRegistered: false });
  const at = { url: port.address.replace(/\/barker$/, ""), ca: testAuthority };
  const known = await microserver({ ...at, cert, key });
  expect((await known.request("barker", 1)).body).toBe("woof");
  const stop = new AbortController();
  const unknown = await microserver({ ...at, signal: stop.signal });
  const waits = unknown.send("barker", 1).catch((error: { readonly code: string }) => error.code);
  await expect.poll(() => unknown.status.failure).not.toBeNull();
  stop.abort();
  expect(await waits).toBe("closed");
});

test.each([{ cert: "x" }, { direct: { key: "x" } }])(
  "connect() wants a key with a certificate: %j",
  async (options) => {
    await expect(connect(options)).rejects.toMatchObject({
      code: "invalid_argument",
      message: "Cannot connect: cert and key go together, wanted both or neither",
    });
  },
);
