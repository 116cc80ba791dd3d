import type { Machine, Needs } from "../doctor/machine.ts";

/** What the three programs need with their default settings. */
const NEEDS: Needs = {
  ports: [
    { program: "directory", at: { host: "127.0.0.1", port: 5430 }, flag: "-p/--port", isTraffic: false },
    { program: "sherlock", at: { host: "127.0.0.1", port: 5432 }, flag: "--listen", isTraffic: true },
  ],
  folders: [{ program: "sherlock", what: "run directory", path: "/run/datawire/sherlock", flag: "--run-dir" }],
  names: [{ program: "watson", name: "vm1", isSet: false }],
  directories: [],
  haproxy: { command: null, caFile: null },
  findings: [],
};

/** A machine without fault, on which nothing runs yet. */
export function healthyMachine(needs: Partial<Needs> = {}): Machine {
  return {
    needs: async () => ({ ...NEEDS, ...needs }),
    haproxy: async () => ({ path: "/usr/sbin/haproxy", version: "2.6.12", isDynamic: true, lacks: [] }),
    port: async () => ({ state: "free" }),
    identify: async () => null,
    folder: async (path) => ({
      state: "there",
      nearest: path,
      isFolder: true,
      mode: 0o700,
      owner: "datawire",
      isOwn: true,
      isWritable: true,
    }),
    resolve: async () => ["10.0.0.1"],
    own: () => ["127.0.0.1", "10.0.0.1"],
    reach: async () => null,
  };
}
