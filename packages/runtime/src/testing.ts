export { type FakeClock, createFakeClock } from "./fake-clock.ts";
export { type FakeProcess, createFakeProcess } from "./fake-process.ts";
export { type EtcdServer, startEtcd } from "./etcd-server.ts";
