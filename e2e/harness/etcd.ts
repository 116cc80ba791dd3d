// Named once for scenarios and benches, so that only this folder knows of the test tools of the packages.
export { type EtcdServer, startEtcd } from "@datawire/runtime/testing";
