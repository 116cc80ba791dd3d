// A service that registers itself: node examples/mdk/hello.ts VERSION PORT [broken]
import { createServer } from "node:http";
import { mdkMiddleware } from "@datawire/mdk/connect";
import { start } from "@datawire/mdk";

const [version = "1.0", port = "8101", mode] = process.argv.slice(2);

const mdk = start({ name: "hello" });
const withSession = mdkMiddleware(mdk);

const server = createServer((req, res) =>
  withSession(req, res, () => {
    req.mdk.info("hello", `${version} is asked for ${req.url}`);
    if (mode === "broken") res.writeHead(500);
    res.end(`Hello from ${version}\n`);
  }),
);

server.listen(Number(port), "127.0.0.1", () => mdk.register("hello", version, `http://127.0.0.1:${port}`));

process.once("SIGTERM", async () => {
  // First nobody finds it any more, then it stops.
  await mdk.stop();
  server.close();
});
