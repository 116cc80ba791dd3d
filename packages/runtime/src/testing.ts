export { type FakeClock, createFakeClock } from "./fake-clock.ts";
export { type FakeProcess, createFakeProcess } from "./fake-process.ts";
