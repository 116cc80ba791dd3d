import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { makePrivateFolder } from "@datawire/runtime";
import { OPEN_ACCESS } from "../access/access.ts";
import { type Seat, socketPath } from "../processes/messages.ts";
import type { Part } from "../processes/part.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import type { Peers } from "../wire/listener.ts";
import { Peer, type PeerDeps } from "../wire/peer.ts";

/** Where the other processes of a router come to. */
export interface InnerPort {
  /** Connections for clients that are at other processes. */
  readonly peers: Peers;
  close(): Promise<void>;
}

/**
 * Takes links of other processes of the router to addresses of this one; those processes have checked the rights of
 * their clients.
 */
export async function listenInner(seat: Seat, deps: PeerDeps): Promise<InnerPort> {
  const peers: Peers = new Set();
  const { clock, log } = deps;
  const none = new Upstreams([], { farOf: () => null, clock, log, board: { set: () => {} }, random: Math.random });
  // What there is at other processes was looked for where the client is.
  const { siblings: _, ...mine } = deps;
  const inner: PeerDeps = {
    ...mine,
    access: OPEN_ACCESS,
    upstreams: none,
    addresses: { isAuthority: () => false, isInner: true },
  };
  const server = createServer((socket) => {
    const peer = new Peer(socket, inner);
    peers.add(peer);
    socket.on("close", () => peers.delete(peer));
  });
  const path = socketPath(seat, seat.index);
  // One that was killed has left it there.
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, resolve);
  });
  return {
    peers,
    async close() {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const peer of peers) peer.destroy();
      await ended;
    },
  };
}

/**
 * A process as the directory knows it: a router of its own, with a name of its own, as it has addresses that consumers are at, and
 * needs the rights and the routes of the directory as the first one does.
 */
export async function memberOf(
  part: Part | null,
  { host, dataDir }: { readonly host: string; readonly dataDir: string },
): Promise<{ readonly host: string; readonly dataDir: string }> {
  const index = part?.seat.index ?? 0;
  if (index === 0) return { host, dataDir };
  const folder = join(dataDir, `process-${index}`);
  await makePrivateFolder(folder);
  return { host: `${host}-${index}`, dataDir: folder };
}
