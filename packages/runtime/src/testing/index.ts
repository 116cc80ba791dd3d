export { eventually } from "./eventually.ts";
export { freePorts } from "./free-ports.ts";
export { type FakeClock, createFakeClock } from "./fake-clock.ts";
export { type FakeProcess, createFakeProcess } from "./fake-process.ts";
export * as etcdCertificates from "./etcd-certificates.ts";
export { type EtcdServer, type EtcdTls, startEtcd } from "./etcd-server.ts";
export { expiredCertificate, goodCertificate, testAuthority, wrongCertificate } from "./test-certificates.ts";
