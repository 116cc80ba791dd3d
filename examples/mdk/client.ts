// Resolves the service and calls it: node examples/mdk/client.ts [VERSION] [COUNT]
import { start } from "@datawire/mdk";

const [version, count = "1"] = process.argv.slice(2);

const mdk = start({ name: "client" });
await mdk.ready();

for (let i = 0; i < Number(count); i++) {
  const session = mdk.session();
  try {
    await session.interact(async () => {
      const node = await session.resolve("hello", version || null, { timeout: 1 });
      console.log(`${node.version} at ${node.address}`);
    });
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
}

await mdk.stop();
