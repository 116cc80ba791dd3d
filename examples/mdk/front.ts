// A service that calls another one for each request: node examples/mdk/front.ts PORT
import { createServer, type ServerResponse } from "node:http";
import { mdkMiddleware } from "@datawire/mdk/connect";
import { mdkFetch } from "@datawire/mdk/fetch";
import { MdkError, type Session, start } from "@datawire/mdk";

const [port = "8103"] = process.argv.slice(2);

const mdk = start({ name: "front" });
mdk.setDefaultDeadline(2);
const withSession = mdkMiddleware(mdk);

const server = createServer((req, res) => withSession(req, res, () => void answer(req.mdk, res)));

async function answer(session: Session, res: ServerResponse): Promise<void> {
  session.info("front", "calling hello");
  try {
    // Resolved, with the context in its headers, within the deadline of the session.
    const hello = await mdkFetch("http://hello/greeting", { version: "1.0" });
    res.writeHead(hello.status).end(`${session.traceId} ${await hello.text()}`);
  } catch (error) {
    session.error("front", String(error));
    res
      .writeHead(error instanceof MdkError && error.code === "deadline_exceeded" ? 504 : 503)
      .end(`${String(error)}\n`);
  }
}

server.listen(Number(port), "127.0.0.1", () => mdk.register("front", "1.0", `http://127.0.0.1:${port}`));

process.once("SIGTERM", async () => {
  await mdk.stop();
  server.close();
});
