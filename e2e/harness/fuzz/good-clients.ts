import { type RawLink, openRawLink } from "../raw-link.ts";
import { sleep } from "../wait.ts";

/** A Watson and a subscriber of a directory that behave, and tell how long a change takes from the one to the other. */
export interface GoodClients {
  changeMs(): Promise<number>;
  /** Whether both are connected still. */
  connected(): boolean;
  close(): void;
}

const instance = (reason: string): object => ({
  service: "well-behaved",
  name: "one",
  url: "http://vm1.example.com:8080/",
  state: "down",
  reason,
});

export async function connectGoodClients(port: number): Promise<GoodClients> {
  const watson: RawLink = await openRawLink(port, { kind: "watson", name: "good", id: "the-watson-that-behaves" });
  const registered = watson.next(({ type }) => type === "registered");
  watson.send({ type: "register", seq: 0, instances: [instance("change 0.")] });
  await registered;
  const wish = { services: ["well-behaved"], have: null };
  const subscriber = await openRawLink(port, { kind: "sherlock", name: "good", id: "the-good-one", subscribe: wish });
  let sequence = 0;
  let open = 2;
  for (const { closed } of [watson, subscriber]) void closed.then(() => (open -= 1));
  return {
    async changeMs() {
      sequence += 1;
      const text = `change ${sequence}.`;
      const startMs = performance.now();
      const arrived = subscriber.next((message) => JSON.stringify(message).includes(text));
      watson.send({ type: "update", seq: sequence, instances: [instance(text)] });
      await arrived;
      return performance.now() - startMs;
    },
    connected: () => open === 2,
    close() {
      watson.socket.terminate();
      subscriber.socket.terminate();
    },
  };
}

/** Changes at both, in turn, until `work` has ended; resolves to how long each took. */
export async function changesDuring(
  work: Promise<unknown>,
  { here, beside }: { readonly here: GoodClients; readonly beside: GoodClients },
): Promise<{ readonly here: readonly number[]; readonly beside: readonly number[] }> {
  const progress = { going: true };
  const ended = work.finally(() => (progress.going = false));
  ended.catch(() => {}); // awaited below
  const hereMs: number[] = [];
  const besideMs: number[] = [];
  while (progress.going || hereMs.length < CHANGES_MIN) {
    hereMs.push(await here.changeMs());
    besideMs.push(await beside.changeMs());
    await sleep(10);
  }
  await ended;
  return { here: hereMs, beside: besideMs };
}

/** How many changes tell something. */
const CHANGES_MIN = 10;
