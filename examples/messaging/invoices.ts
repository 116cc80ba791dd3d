// Makes an invoice of every order, and prints how each ended: node examples/messaging/invoices.ts
import { connect, Reject } from "@datawire/microserver";

const microserver = await connect({ name: "invoices" });

// An order is accepted when its invoice is. Killed in between, it makes the same invoice again, which the router drops.
await microserver.pipeline("orders", "invoices", ({ body }) => {
  const { book, price } = body as { book: string; price: number };
  if (price < 0) throw new Reject("a price below nothing");
  return { subject: book, body: { book, toPay: price } };
});

// What a handler returns answers who asked; two are handled at a time.
await microserver.listen("prices", ({ body }) => (body === "Emma" ? 12 : 10), { concurrency: 2 });

for (const book of ["Emma", "Ulysses"]) {
  const { body: price } = await microserver.request("prices", book, { timeoutMs: 10_000 });
  await microserver.send("orders", { book, price });
}
await microserver.send("orders", { book: "Ulysses", price: -1 });

let count = 0;
for await (const { body } of microserver.subscribe("invoices")) {
  console.log(JSON.stringify(body));
  if (++count === 2) break;
}
for await (const { body, annotations } of microserver.subscribe("dead/orders")) {
  console.log(JSON.stringify(body), annotations["x-opt-datawire-reason"]);
  break;
}
await microserver.close();
